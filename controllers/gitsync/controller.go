package gitsync

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/source"
)

// Name of the control loop, in logs and metrics.
const Name = "gitsync"

// Options of a Controller. The zero value of every field is useful.
type Options struct {
	// Platform is the namespace whose syncs may go anywhere and fetch from private addresses; none when empty.
	Platform string
	// AllowPrivateAddresses lets tenants' repositories be at addresses that are not public.
	AllowPrivateAddresses bool
	// CacheBytes is how much memory builds are kept in; 0 is 64 MiB. What does not fit is fetched again when it is needed.
	CacheBytes int64
	// PerTenant is how many syncs of a tenant are applied at the same time; 0 is 4. The platform has no such limit.
	PerTenant int
	// Statuses is who tells of commits; nobody when nil.
	Statuses CommitStatuses
	// Recorder of events; none when nil.
	Recorder engine.Recorder
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Roll returns a number in [0, 1) that spreads visits; random when nil.
	Roll func() float64
}

const (
	defaultCache     = 64 << 20
	defaultPerTenant = 4
)

// Controller keeps GitSyncs.
type Controller struct {
	cached   client.Reader
	live     client.Reader
	accounts Accounts
	applier  Applier
	opts     Options

	jobs    *jobs
	cache   *cache
	turns   *turns
	memory  memory
	metrics *metrics
	wakes   chan event.TypedGenericEvent[types.NamespacedName]
}

// wakeups is how many syncs may wait to be put into the queue. Who finds no room waits, and nothing is lost.
const wakeups = 1 << 10

// New returns the controller. cached may be behind; live may not. Run must run while passes do.
func New(cached, live client.Reader, builder source.Builder, accounts Accounts, applier Applier, o Options) *Controller {
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCache
	}

	if o.PerTenant == 0 {
		o.PerTenant = defaultPerTenant
	}

	if o.Statuses == nil {
		o.Statuses = nobody{}
	}

	if o.Recorder == nil {
		o.Recorder = silence{}
	}

	if o.Now == nil {
		o.Now = time.Now
	}

	if o.Roll == nil {
		o.Roll = rand.Float64
	}

	c := &Controller{
		cached: cached, live: live, accounts: accounts, applier: applier, opts: o,
		cache: newCache(o.CacheBytes),
		wakes: make(chan event.TypedGenericEvent[types.NamespacedName], wakeups),
	}
	c.metrics = newMetrics(o.Registerer, c)
	c.jobs = newJobs(builder, c.metrics, c.wakes)
	c.turns = newTurns(o.PerTenant, o.Platform)

	return c
}

// Run owns the builds: it returns when ctx has ended and none is under way any more.
func (c *Controller) Run(ctx context.Context) error {
	<-ctx.Done()
	c.jobs.Stop()

	return nil
}

// Reconcile moves one GitSync a step further. What it does to the objects of the repository it does through the Applier; only
// the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, s *gitopsv1.GitSync) (outcome.Result, error) {
	p := c.begin(s)

	if !s.DeletionTimestamp.IsZero() {
		return p.finalize(ctx)
	}

	if s.Spec.Suspend {
		return p.suspend()
	}

	switch leaving, err := p.leaving(ctx, p.cached); {
	case err != nil:
		return outcome.Result{}, err
	case leaving:
		p.drop()

		return p.between(turnPoll)
	}

	if err := p.look(ctx); err != nil {
		return outcome.Result{RequeueAfter: cyclePoll}, err
	}

	if p.visit == nil {
		return p.rest()
	}

	return p.deliver(ctx)
}

// Forget implements engine.Forgetter.
func (c *Controller) Forget(key types.NamespacedName) {
	c.jobs.Cancel(key)
	c.cache.drop(key)
	c.memory.forget(key)
	c.applier.Forget(key)
}
