package exposition

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	// lookPeriod is how often ends of tasks are looked for. Swarm remembers five tasks of a slot, and waits five seconds
	// before it starts the next.
	lookPeriod = telemetry.Interval
	// atOnce is how many answers are made at a time. One of some thousand tasks takes some ten megabytes.
	atOnce = 4
)

// Options of a Server.
type Options struct {
	Swarm     Swarm
	NodeNames NodeNames
	Log       *slog.Logger
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// Server shows what is known. What it shows comes to it one after the other while the process starts; before that it says
// that it does not know yet.
type Server struct {
	o       Options
	endings *endings
	room    chan struct{}

	reader  atomic.Pointer[telemetry.Reader]
	objects atomic.Pointer[client.Reader]
}

// New makes a Server.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}

	return &Server{o: o, endings: newEndings(o.Now()), room: make(chan struct{}, atOnce)}
}

// ShowSamples has it show what is sampled, from now on.
func (s *Server) ShowSamples(r telemetry.Reader) { s.reader.Store(&r) }

// ShowObjects has it show objects, from now on. Reads have to come out of a cache.
func (s *Server) ShowObjects(r client.Reader) { s.objects.Store(&r) }

func (s *Server) samples() telemetry.Reader {
	if r := s.reader.Load(); r != nil {
		return *r
	}

	return nothing{}
}

// Run counts how tasks end, until the context does.
func (s *Server) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookPeriod):
		}
		s.lookForEnds()
	}
}

// lookForEnds is one look. What is not known now is counted when it is.
func (s *Server) lookForEnds() {
	if s.o.Swarm.State() != nil {
		return
	}
	var all []task
	for _, o := range s.o.Swarm.Owners() {
		all = append(all, tasksOf(s.o.Swarm, o)...)
	}
	s.endings.look(all, s.o.Now())
}

// node is the page of a node: all tasks on it, and the node itself.
func (s *Server) node(id, name string) gathered {
	var here []sampled
	specs := map[string]map[string]*task{}

	for _, subject := range s.samples().Subjects(swarmobj.Owner{}) {
		if subject.Node != id {
			continue
		}
		sample, ok := s.samples().Latest(subject.Task)
		if !ok {
			continue
		}
		known, ok := specs[subject.Owner.UID]
		if !ok {
			known = s.byID(subject.Owner)
			specs[subject.Owner.UID] = known
		}
		here = live(here, &subject, sample, known[subject.Task], name)
	}
	p := newPage()
	s.machine(p, id, name)

	return append(usageOf(here), p.all()...)
}

// tenant is the page of one namespace.
func (s *Server) tenant(ctx context.Context, namespace string) (gathered, error) {
	containers, err := s.containers(ctx, namespace)
	if err != nil {
		return nil, err
	}
	names := s.o.NodeNames(s.o.Swarm.Nodes())
	p := newPage()
	var here []sampled

	for i := range containers {
		tc := &containers[i]
		owner := ownerOf(tc)
		p.container(tc)
		s.workload(p, owner)
		known := s.byID(owner)
		for _, subject := range s.samples().Subjects(owner) {
			// Whose samples they are is decided by whoever keeps them; this decides it a second time.
			if subject.Owner.Tenant != namespace {
				continue
			}
			if sample, ok := s.samples().Latest(subject.Task); ok {
				here = live(here, &subject, sample, known[subject.Task], names[subject.Node])
			}
		}
	}
	if err := s.syncs(ctx, p, namespace); err != nil {
		return nil, err
	}
	if err := s.quotas(ctx, p, namespace); err != nil {
		return nil, err
	}

	return append(usageOf(here), p.all()...), nil
}

// platform is the page of everything that is no task: objects and sums of all namespaces, and nodes.
func (s *Server) platform(ctx context.Context) (gathered, error) {
	containers, err := s.containers(ctx, "")
	if err != nil {
		return nil, err
	}
	p := newPage()
	for i := range containers {
		p.container(&containers[i])
		s.workload(p, ownerOf(&containers[i]))
	}
	if err := s.syncs(ctx, p, ""); err != nil {
		return nil, err
	}
	if err := s.quotas(ctx, p, ""); err != nil {
		return nil, err
	}
	s.nodes(p)

	return p.all(), nil
}

// byID are the tasks of an owner by their IDs.
func (s *Server) byID(o swarmobj.Owner) map[string]*task {
	tasks := tasksOf(s.o.Swarm, o)
	out := make(map[string]*task, len(tasks))
	for i := range tasks {
		out[tasks[i].ID] = &tasks[i]
	}

	return out
}

// live adds a task to a page, unless it has ended: what was sampled of it is still there for a moment, and would be counted
// beside the task that has taken its place. t is nil when the swarm has forgotten it, or is not known now.
func live(all []sampled, subject *telemetry.Subject, sample telemetry.Sample, t *task, node string) []sampled {
	if t != nil && t.Ended() {
		return all
	}

	return append(all, sampled{
		sample: sample, bounds: t.bounds(),
		labels: pairs(taskLabels, []string{subject.Owner.Name, t.image(), subject.Owner.Tenant, node, subject.Pod}),
	})
}

// nothing is what is sampled before there is anything that samples.
type nothing struct{}

func (nothing) Subjects(swarmobj.Owner) []telemetry.Subject { return nil }
func (nothing) Window(string, time.Time) []telemetry.Sample { return nil }
func (nothing) Latest(string) (telemetry.Sample, bool)      { return telemetry.Sample{}, false }
func (nothing) Machine(string) (telemetry.Machine, float64, bool) {
	return telemetry.Machine{}, 0, false
}
func (nothing) Totals(swarmobj.Owner) (telemetry.Totals, time.Time) {
	return telemetry.Totals{}, time.Time{}
}
