package autoscaler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/wake"
)

// Name of the control loop, in logs and metrics.
const Name = "autoscaler"

// FieldOwner of what it writes.
const FieldOwner = "dogker-autoscaler"

const (
	// interval between two looks at everything, as often as there are samples.
	interval = 15 * time.Second
	// readTime is for how long a round waits for what has to be asked for. What has not answered by then is missing.
	readTime = 10 * time.Second
	// workers is how many containers are looked at at once. As a rule they wait for others.
	workers = 64
)

// Options of an Autoscaler.
type Options struct {
	// Cached reads API objects and may be behind. Writer writes them, as system:dogker:monitoring.
	Cached client.Reader
	Writer client.Client

	Swarm     Swarm
	Telemetry Telemetry
	// Prometheus and Counters may be nil: metrics that need them are missing then, and say so.
	Prometheus Prometheus
	Counters   Counters

	// Recorder of events; none when nil.
	Recorder engine.Recorder
	// Log is silent when nil.
	Log *slog.Logger
	// Registerer of metrics; none when nil.
	Registerer prometheus.Registerer
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Autoscaler is a Runnable of a manager, for the leader only.
type Autoscaler struct {
	Options

	metrics metrics

	mu     sync.Mutex
	states map[types.UID]*state
}

// New returns an autoscaler.
func New(o Options) *Autoscaler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = o.Log.With(logkey.Controller, Name)

	return &Autoscaler{Options: o, metrics: newMetrics(o.Registerer), states: map[types.UID]*state{}}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Autoscaler) NeedLeaderElection() bool { return true }

// Start looks at everything every interval until the context ends.
func (a *Autoscaler) Start(ctx context.Context) error {
	wake.Every(ctx, interval, a.Round, func(err error) {
		a.Log.WarnContext(ctx, "Could not look at containers that scale", logkey.Err, err)
	})

	return nil
}

// Round looks at every container once. It is exported for tests, which have a clock of their own.
func (a *Autoscaler) Round(ctx context.Context) error {
	began := a.Now()

	var list v1alpha1.TenantContainerList
	if err := a.Cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list containers: %w", err)
	}

	reads, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()

	var group errgroup.Group
	group.SetLimit(workers)
	alive := map[types.UID]bool{}
	scaled := 0
	for i := range list.Items {
		tc := &list.Items[i]
		if !concerns(tc) {
			continue
		}
		scaled++
		alive[tc.UID] = true
		group.Go(func() error {
			a.visit(ctx, reads, tc)

			return nil
		})
	}
	_ = group.Wait() // None of them returns an error: one container in trouble is no reason to leave the others alone.
	a.forget(alive)
	a.metrics.round(scaled, a.Now().Sub(began))

	return nil
}

// concerns is true for a container that scales, or that has something left from when it did.
func concerns(tc *v1alpha1.TenantContainer) bool {
	if !tc.DeletionTimestamp.IsZero() {
		return false
	}
	_, annotated := tc.Annotations[v1alpha1.AnnotationReplicas]

	return tc.Spec.Autoscaling != nil || annotated || tc.Status.Autoscaling != nil
}

// visit looks at one container. reads ends sooner than ctx: what is asked for has less time than what is written.
func (a *Autoscaler) visit(ctx, reads context.Context, tc *v1alpha1.TenantContainer) {
	log := a.Log.With(logkey.Object, client.ObjectKeyFromObject(tc).String(), logkey.Generation, tc.Generation)

	s := a.stateOf(tc.UID)
	if s.behind(tc.ResourceVersion) {
		return
	}

	var err error
	if tc.Spec.Autoscaling == nil {
		err = a.retire(ctx, tc, s)
	} else {
		err = a.scale(ctx, reads, tc, s, log)
	}
	if err != nil && ctx.Err() == nil {
		a.metrics.decided(outcomeFailed)
		log.WarnContext(ctx, "Could not scale TenantContainer", logkey.Err, err)
	}
}

func (a *Autoscaler) stateOf(uid types.UID) *state {
	a.mu.Lock()
	defer a.mu.Unlock()

	s := a.states[uid]
	if s == nil {
		s = &state{}
		a.states[uid] = s
	}

	return s
}

// forget drops what is remembered of containers that are gone, or do not scale any more.
func (a *Autoscaler) forget(alive map[types.UID]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()

	for uid := range a.states {
		if !alive[uid] {
			delete(a.states, uid)
		}
	}
}
