package health

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/health"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
	"github.com/dogker/dogker/reconciler/wake"
)

const (
	// interval between two looks at everything.
	interval = 30 * time.Second
	// thorough is how often the whole memory of samples is gone through, which recommendations need. Findings need its end.
	thorough = 10 * time.Minute
	recent   = 6 * time.Minute
)

// Swarm is the part of Docker Swarm that this controller uses.
type Swarm interface {
	// Look shows what is known of an owner, from the read cache.
	Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error)
}

// Samples is the part of the memory of samples that this controller uses.
type Samples interface {
	// Window is the samples of a task since a time, oldest first.
	Window(task string, since time.Time) []telemetry.Sample
}

// Tasks stops containers of tasks.
type Tasks interface {
	// Stop stops the container of a task, paused or not, and kills it after grace; Swarm starts another task in its place.
	Stop(ctx context.Context, node, task, container string, grace time.Duration) error
}

// Options of a Monitor. Those without which it cannot work are Client, Swarm, Samples and Tasks.
type Options struct {
	// Client reads from the cache and writes as whoever may write annotations of monitoring.
	Client  client.Client
	Swarm   Swarm
	Samples Samples
	Tasks   Tasks
	// Recorder tells owners; nobody is told when nil.
	Recorder engine.Recorder
	// Now is the time; that of the machine when nil.
	Now func() time.Time
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Monitor is a Runnable of a manager, for the leader only.
type Monitor struct {
	o       Options
	metrics *metrics
	// looked is when all samples of a container were gone through last, and stopped when one of its tasks was stopped last.
	looked, stopped map[types.UID]time.Time
	// written is the version of a container that we have written last: what is older says again what was told already.
	written map[types.UID]string
	// stops are those that are under way.
	stops sync.WaitGroup
}

// New makes a Monitor. It does nothing before Start.
func New(o Options) (*Monitor, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With(logkey.Controller, "health")
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}

	return &Monitor{o: o, metrics: m, looked: map[types.UID]time.Time{}, stopped: map[types.UID]time.Time{}, written: map[types.UID]string{}}, nil
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Monitor) NeedLeaderElection() bool { return true }

// Start looks at everything every interval until the context ends.
func (m *Monitor) Start(ctx context.Context) error {
	defer m.stops.Wait()
	wake.Every(ctx, interval, m.Round, func(err error) {
		m.o.Log.WarnContext(ctx, "Could not look at the health of containers", logkey.Err, err)
	})

	return nil
}

// Round looks at everything once. It is exported for tests, which have a clock of their own.
func (m *Monitor) Round(ctx context.Context) error {
	var containers v1alpha1.TenantContainerList
	if err := m.o.Client.List(ctx, &containers, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list containers: %w", err)
	}

	counts := map[v1alpha1.HealthState]int{}
	known := make(map[types.UID]bool, len(containers.Items))
	for i := range containers.Items {
		tc := &containers.Items[i]
		known[tc.UID] = true
		verdict, ok := m.look(ctx, tc)
		if !ok {
			verdict = told(tc)
		}
		for _, f := range verdict.Findings {
			counts[f.State]++
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	m.forget(known)
	m.metrics.show(counts)

	return nil
}

// look judges one container and does what follows. It is false when nothing can be said now.
func (m *Monitor) look(ctx context.Context, tc *v1alpha1.TenantContainer) (health.Verdict, bool) {
	if !tc.DeletionTimestamp.IsZero() {
		return health.Verdict{}, true
	}
	if m.behind(tc) {
		return health.Verdict{}, false
	}
	world, err := m.o.Swarm.Look(ctx, ownerOf(tc))
	if err != nil {
		return health.Verdict{}, false // The container's own conditions say that nothing is known.
	}

	verdict := health.Judge(m.observe(tc, &world), tc.Status.Health)
	if err := m.tell(ctx, tc, verdict); err != nil && ctx.Err() == nil {
		m.o.Log.WarnContext(ctx, "Could not write what is wrong with a container; it is tried again", logkey.Object, client.ObjectKeyFromObject(tc).String(), logkey.Err, err)
	}
	if tc.Spec.StuckTaskPolicy == v1alpha1.StuckTaskReplace {
		m.replace(ctx, tc, verdict.Stuck)
	}

	return verdict, true
}

// behind is true while the cache shows an older version than we have written.
func (m *Monitor) behind(tc *v1alpha1.TenantContainer) bool {
	written := m.written[tc.UID]
	if written == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(tc.ResourceVersion, written)

	return err == nil && order < 0
}

// told is the verdict that was told last.
func told(tc *v1alpha1.TenantContainer) health.Verdict {
	if tc.Status.Health == nil {
		return health.Verdict{}
	}

	return health.Verdict{Findings: tc.Status.Health.Findings}
}

func ownerOf(tc *v1alpha1.TenantContainer) swarmobj.Owner {
	return swarmobj.Owner{Tenant: tc.Namespace, Kind: "TenantContainer", Name: tc.Name, UID: string(tc.UID)}
}

func (m *Monitor) forget(known map[types.UID]bool) {
	for _, remembered := range []map[types.UID]time.Time{m.looked, m.stopped} {
		for uid := range remembered {
			if !known[uid] {
				delete(remembered, uid)
			}
		}
	}
	for uid := range m.written {
		if !known[uid] {
			delete(m.written, uid)
		}
	}
}
