package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const namespace = "acme"

// story is a scenario with the loops that it is about.
type story struct {
	scenario converge.Scenario
	start    func(*converge.Process)
	keys     func(client.Client) []types.NamespacedName
}

func (s story) harness() *converge.Harness {
	scheme := runtime.NewScheme()
	must(errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme)))
	keys := s.keys
	if keys == nil {
		keys = func(client.Client) []types.NamespacedName { return nil }
	}

	return &converge.Harness{
		Scheme: scheme, Status: []client.Object{&v1alpha1.TenantContainer{}, &monitoringv1.Alert{}, &monitoringv1.Receiver{}},
		World: func(r *converge.Run) converge.World { return newWorld(r) },
		Start: s.start, Keys: keys, State: stateOfAPI, Check: brokenRules,
		Replay: "go test ./test/faults/monitoring -run '%s'",
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// world is a swarm whose tasks are there as soon as they are to be, what they use, and everybody else who is asked or told.
type world struct {
	run *converge.Run
	*outbox
	*cluster

	mu sync.Mutex
	// memory is what each task holds, and waiting what Prometheus says.
	memory  uint64
	waiting float64
	// failed is when three tasks failed, and pausedAt since when the container is paused; the zero time for never.
	failed, pausedAt time.Time
	// life counts the tasks that were stopped.
	life       int
	violations []string
}

func newWorld(r *converge.Run) *world {
	return &world{run: r, outbox: newOutbox(), cluster: newCluster()}
}

// change is a step of a story that changes what is measured.
func change(how func(*world)) func(*converge.Run) {
	return func(r *converge.Run) {
		w := r.World.(*world)
		w.mu.Lock()
		defer w.mu.Unlock()

		how(w)
	}
}

// errScripted is what a call hears that is refused.
var errScripted = errors.New("scripted failure")

// across makes a call to the world, or what the plan makes of it.
func across(ctx context.Context, p *converge.Process, call converge.Call, act func() error) error {
	kind, err := p.Seam.Enter(ctx, call)
	if err != nil {
		return err
	}
	switch kind {
	case converge.Refuse:
		return errScripted
	case converge.Hang:
		return swarmobj.ErrUnavailable
	case converge.Late:
		time.AfterFunc(converge.LateTime, func() { _ = act() })

		return swarmobj.ErrUnavailable
	}

	err = act()
	if kind == converge.Lose && err == nil {
		err = swarmobj.ErrUnavailable
	}
	if crashed := p.Seam.Leave(kind); crashed != nil {
		return crashed
	}

	return err
}

// container is the TenantContainer that all stories are about.
func container() *v1alpha1.TenantContainer {
	tc := &v1alpha1.TenantContainer{}
	tc.Namespace, tc.Name = namespace, "web"
	tc.Spec = v1alpha1.TenantContainerSpec{Image: "registry.test/app:v1", Replicas: new(int32(1))}

	return tc
}

// Look implements what all loops ask of the read cache.
func (w *world) Look(_ context.Context, o swarmobj.Owner) (swarmobj.World, error) {
	if o.Kind == swarmobj.KindAgents {
		return w.look(), nil
	}
	tc := container()
	if !w.run.Store.Get(o.Tenant, o.Name, tc) {
		return swarmobj.World{TasksFresh: true}, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()

	count := uint64(autoscale.Replicas(tc)) //nolint:gosec // It is not negative.
	out := swarmobj.World{TasksFresh: true, Service: &swarm.Service{ID: "web", Spec: swarm.ServiceSpec{
		Mode: swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &count}},
	}}}
	for slot := range int(count) { //nolint:gosec // There are few.
		out.Tasks = append(out.Tasks, swarmobj.Task{
			ID: w.task(slot), Slot: slot + 1, NodeID: "n1", State: swarm.TaskStateRunning, Desired: swarm.TaskStateRunning, Since: time.Now().Add(-time.Hour),
		})
	}
	if !w.failed.IsZero() {
		for i := range 3 {
			out.Tasks = append(out.Tasks, swarmobj.Task{
				ID: fmt.Sprintf("failed-%d", i), Slot: 1, NodeID: "n1", State: swarm.TaskStateFailed, Desired: swarm.TaskStateShutdown, ExitCode: 1, Since: w.failed,
			})
		}
	}

	return out, nil
}

func (w *world) task(slot int) string { return fmt.Sprintf("task-%d-%d", slot, w.life) }

// Subjects implements telemetry.Reader.
func (w *world) Subjects(o swarmobj.Owner) []telemetry.Subject {
	seen, err := w.Look(context.Background(), o)
	must(err)
	var out []telemetry.Subject
	for _, t := range seen.Tasks {
		if t.Running() {
			out = append(out, telemetry.Subject{Owner: o, Task: t.ID, Node: t.NodeID})
		}
	}

	return out
}

// Latest implements telemetry.Reader.
func (w *world) Latest(task string) (telemetry.Sample, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.sample(task, time.Now()), true
}

// Window implements telemetry.Reader. It goes back six minutes, which is not enough to recommend anything.
func (w *world) Window(task string, since time.Time) []telemetry.Sample {
	w.mu.Lock()
	defer w.mu.Unlock()

	const kept = 6 * time.Minute
	now := time.Now()
	if now.Sub(since) > kept {
		since = now.Add(-kept)
	}
	var out []telemetry.Sample
	for at := now; !at.Before(since); at = at.Add(-telemetry.Interval) {
		out = append(out, w.sample(task, at))
	}
	slices.Reverse(out)

	return out
}

func (w *world) sample(task string, at time.Time) telemetry.Sample {
	s := telemetry.Sample{At: at, Task: task, Container: "c-" + task, State: telemetry.StateRunning}
	s.Memory.WorkingSet = w.memory
	if !w.pausedAt.IsZero() && !at.Before(w.pausedAt) {
		s.State = telemetry.StatePaused
	}

	return s
}

// Machine implements telemetry.Reader.
func (*world) Machine(string) (telemetry.Machine, float64, bool) {
	return telemetry.Machine{}, 0, false
}

// Totals implements telemetry.Reader.
func (*world) Totals(swarmobj.Owner) (telemetry.Totals, time.Time) {
	return telemetry.Totals{}, time.Time{}
}

// State implements converge.World.
func (w *world) State() []string {
	w.mu.Lock()
	stopped := w.life
	w.mu.Unlock()

	return append(append([]string{fmt.Sprintf("tasks were stopped: %t", stopped > 0)}, w.outbox.lines()...), w.cluster.lines()...)
}

// Violations implements converge.World.
func (w *world) Violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()

	return append(append(slices.Clone(w.violations), w.outbox.broken()...), w.cluster.broken()...)
}

// silent records no events.
type silent struct{}

func (silent) Event(runtime.Object, string, string, string) {}

// asked is a request for the object itself, unless the loop has written what is new about it.
func asked(own predicate.Predicate, old, new client.Object) []reconcile.Request {
	if old != nil && new != nil && !own.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: new}) {
		return nil
	}
	o := new
	if o == nil {
		o = old
	}

	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
}
