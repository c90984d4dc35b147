package job

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Name of the control loop, in logs and metrics.
const Name = "job"

const (
	// lookAgain is when a pass that waits for Swarm to show something looks again.
	lookAgain = time.Second
	// atOnce is when a pass goes on that has only put something on record.
	atOnce = time.Millisecond
)

// Controller moves Swarm to where TenantJobs declare it to be. It keeps nothing in memory that it could not lose.
type Controller struct {
	client   client.Client
	live     client.Reader
	swarm    Swarm
	registry Registry
	recorder engine.Recorder
	digests  swarmobj.DigestKey
	metrics  *Metrics
	now      func() time.Time
	// restores is how often the store was put back to an earlier time.
	restores int64
}

// Options of a Controller.
type Options struct {
	// Recorder of events.
	Recorder engine.Recorder
	// Digests is the key by which contents are named, the same as that of containers.
	Digests swarmobj.DigestKey
	// Metrics to count in; nil for none that anybody reads.
	Metrics *Metrics
	// Restores is how often the store was put back to an earlier time.
	Restores int64
}

// New returns the controller. Reads through c may come from a cache, those through live must not.
func New(c client.Client, live client.Reader, s Swarm, r Registry, o Options) *Controller {
	return &Controller{client: c, live: live, swarm: s, registry: r, recorder: o.Recorder, digests: o.Digests, metrics: o.Metrics, now: time.Now, restores: o.Restores}
}

// Reconcile puts what was decided about a job on record, or does what follows from the record: never both in one pass. The record is
// written when the pass is over, with the version that was read; what follows from it begins with the next one.
func (c *Controller) Reconcile(ctx context.Context, j *v1alpha1.TenantJob) (outcome.Result, error) {
	s, err := c.observe(ctx, j)
	if err != nil {
		return outcome.Result{}, err
	}

	plan := jobrun.Decide(s.in)
	if plan.Gone {
		if err := c.leave(ctx, j, s); err != nil {
			return outcome.Result{}, err
		}

		return outcome.Result{Finalized: true}, nil
	}

	if !equality.Semantic.DeepEqual(s.in.Job.Status, plan.Status) {
		c.keepLogs(ctx, &plan)
		c.tell(j, &plan)
		jobrun.Report(j, s.in, plan)

		return outcome.Result{RequeueAfter: atOnce}, nil
	}

	if err := errors.Join(c.apply(ctx, s, plan.Steps), c.grow(ctx, s)); err != nil {
		return outcome.Result{}, err
	}

	jobrun.Report(j, s.in, plan)

	return outcome.Result{RequeueAfter: s.next(plan.Next)}, nil
}
