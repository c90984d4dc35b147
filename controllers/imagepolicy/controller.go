package imagepolicy

import (
	"context"
	"math/rand/v2"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/source"
)

// Name of the control loop, in logs and metrics.
const Name = "imagepolicy"

// Options of a Controller. The zero value of every field is useful.
type Options struct {
	// Platform is the namespace whose policies may push to private addresses; none when empty.
	Platform string
	// AllowPrivateAddresses lets tenants' Git repositories be at addresses that are not public.
	AllowPrivateAddresses bool
	// PerTenant is how many looks of a tenant are under way at the same time, and InAll how many of all tenants; 0 is 4 and 64.
	PerTenant, InAll int
	// Recorder of events; none when nil.
	Recorder engine.Recorder
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Roll returns a number in [0, 1) that spreads looks; random when nil.
	Roll func() float64
}

const (
	defaultPerTenant = 4
	defaultInAll     = 64
	// wakeups is how many policies may wait to be put into the queue. Who finds no room waits, and nothing is lost.
	wakeups = 1 << 10
	// firstRetry is when a look that failed is repeated for the first time.
	firstRetry = time.Minute
	// fallback is when a policy is looked at whose job should have woken it.
	fallback = 10 * time.Minute
)

// Controller keeps ImagePolicies.
type Controller struct {
	cached   client.Reader
	registry Registry
	editor   source.Editor
	accounts Accounts
	opts     Options

	jobs   *jobs
	memory memory
	wakes  chan event.TypedGenericEvent[types.NamespacedName]
}

// New returns the controller. cached may be behind. Run must run while passes do.
func New(cached client.Reader, registry Registry, editor source.Editor, accounts Accounts, o Options) *Controller {
	if o.PerTenant == 0 {
		o.PerTenant = defaultPerTenant
	}

	if o.InAll == 0 {
		o.InAll = defaultInAll
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
		cached: cached, registry: registry, editor: editor, accounts: accounts, opts: o,
		wakes: make(chan event.TypedGenericEvent[types.NamespacedName], wakeups),
	}
	c.jobs = newJobs(o.PerTenant, o.InAll, c.wakes)

	return c
}

// silence records nothing.
type silence struct{}

// Event implements engine.Recorder.
func (silence) Event(runtime.Object, string, string, string) {}

// Run owns the jobs: it returns when ctx has ended and none is under way any more.
func (c *Controller) Run(ctx context.Context) error {
	<-ctx.Done()
	c.jobs.Stop()

	return nil
}

// Reconcile starts a look when one is due, and reports how the last one ended. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, p *gitopsv1.ImagePolicy) (outcome.Result, error) {
	key := client.ObjectKeyFromObject(p)

	if !p.DeletionTimestamp.IsZero() {
		c.Forget(key)

		return outcome.Result{}, nil
	}

	s := c.memory.of(key, p.UID)

	if p.Spec.Suspend {
		c.Forget(key)
		p.Status.LastHandledReconcileAt = p.Annotations[gitopsv1.AnnotationRequestedAt]
		conditions.MarkReady(p, gitopsv1.ReasonSuspended, "It rests, because spec.suspend is set: no registry is asked, and nothing is updated")

		return outcome.Result{}, nil
	}

	now := c.opts.Now()

	if ended, ok := c.jobs.Take(key); ok && ended.asked == s.asked {
		c.end(p, s, ended, now)
	}

	asked := c.question(ctx, p)
	if asked != s.asked || !c.jobs.Running(key) && !now.Before(s.next) {
		hurry := s.asked != question{} && asked != s.asked
		s.asked = asked

		l := &look{Controller: c, policy: p.DeepCopy(), asked: asked, hurry: hurry, known: s.known}
		c.jobs.look(key, l.run)
	}

	return c.report(p, s, now)
}

// question is what a look is for now. A GitSync that the cache does not have is none: the look says what that means.
func (c *Controller) question(ctx context.Context, p *gitopsv1.ImagePolicy) question {
	asked := question{generation: p.Generation, requested: p.Annotations[gitopsv1.AnnotationRequestedAt]}

	if name := syncOf(p); name != "" {
		var sync gitopsv1.GitSync
		if err := c.cached.Get(ctx, types.NamespacedName{Namespace: p.Namespace, Name: name}, &sync); err == nil {
			asked.sync = syncSpec{uid: sync.UID, generation: sync.Generation}
		}
	}

	return asked
}

// syncOf is the name of the GitSync whose repository a policy commits to; empty when it names none.
func syncOf(p *gitopsv1.ImagePolicy) string {
	if p.Spec.Update == nil || p.Spec.Update.Git == nil {
		return ""
	}

	return string(p.Spec.Update.Git.GitSyncName)
}

// end notes how a look ended, and tells what it has changed.
func (c *Controller) end(p *gitopsv1.ImagePolicy, s *state, ended *ending, now time.Time) {
	s.ended, s.known = ended, ended.known

	schedule := lifecycle.Schedule{Interval: p.Spec.Interval.Duration, RetryInterval: firstRetry}
	after := schedule.Next(c.opts.Roll())

	if s.failures++; ended.failed == nil || ended.failed.lasting {
		s.failures = 0
	} else {
		after = min(after, schedule.Retry(s.failures, c.opts.Roll()))
	}

	s.next = now.Add(after)
	c.announce(p, ended)
}

// Forget implements engine.Forgetter.
func (c *Controller) Forget(key types.NamespacedName) {
	c.jobs.Cancel(key)
	c.memory.forget(key)
}
