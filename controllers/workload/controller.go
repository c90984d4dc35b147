package workload

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Name of the control loop, in logs and metrics.
const Name = "workload"

// fieldOwner of the API objects that this controller writes.
const fieldOwner = "dogker-workload"

// maxRounds is how often one pass looks, plans and applies. A container that needs a network, contents and a service
// takes one round for each and one to see that nothing is left; one that writes to data of one node gets its task in one more.
const maxRounds = 5

// Controller moves Swarm to where TenantContainers declare it to be. It keeps nothing in memory that it could not lose.
type Controller struct {
	client   client.Client
	live     client.Reader
	swarm    Swarm
	registry Registry
	recorder engine.Recorder
	digests  swarmobj.DigestKey
	now      func() time.Time
	contest  contest
	restores int64
}

// New returns the controller. Reads of API objects through c may come from a cache that has Indexes, those through live must not
// come from one. The key must be the same in
// every process that takes over: with another one, whatever refers to Secrets or ConfigMaps gets a new revision.
func New(c client.Client, live client.Reader, s Swarm, r Registry, recorder engine.Recorder, digests swarmobj.DigestKey) *Controller {
	return &Controller{client: c, live: live, swarm: s, registry: r, recorder: recorder, digests: digests, now: time.Now}
}

// AfterRestores tells how often the store was put back to an earlier time. It must be called before the first pass.
func (c *Controller) AfterRestores(n int64) *Controller {
	c.restores = n

	return c
}

// Reconcile moves one container a step closer to its spec. Only apply changes anything outside; only the engine
// persists status.
func (c *Controller) Reconcile(ctx context.Context, tc *v1alpha1.TenantContainer) (outcome.Result, error) {
	if !tc.DeletionTimestamp.IsZero() {
		return c.finalize(ctx, tc)
	}

	s, trouble, err := c.advance(ctx, tc)
	if err != nil {
		return outcome.Result{}, err
	}

	if id, busy := converging(s); busy {
		c.swarm.Converging(id)
	}

	return report(s, trouble)
}

// Forget drops what is remembered of an object that exists no longer.
func (c *Controller) Forget(key types.NamespacedName) { c.contest.forget(key) }

// advance looks, plans and applies until nothing is left to do or somebody else has to move first. The situation it
// returns is the last one it saw; trouble is why the declared template does not run.
func (c *Controller) advance(ctx context.Context, tc *v1alpha1.TenantContainer) (s *situation, trouble, err error) {
	recreating, created := false, false

	for range maxRounds {
		if s, err = c.survey(ctx, tc); err != nil {
			return s, nil, err
		}

		s.recreating, s.created = recreating, created

		steps, wait := plan(s, c.swarm.PortHolder)
		if wait == nil {
			steps, wait = c.contest.rein(s, steps)
		}

		if err := c.apply(ctx, s, steps); err != nil {
			return s, nil, err
		}

		recreating = recreating || recreates(steps)
		created = created || creates(steps)

		if trouble = s.trouble; trouble == nil {
			trouble = wait
		}
		if wait != nil || !slices.ContainsFunc(steps, movesSwarm) {
			break
		}
	}

	return s, trouble, nil
}

// movesSwarm is true for a step after which Swarm is not what the pass saw. Steps that only keep the record need no
// second look; and the cache does not show them yet, so that a second look would write them again.
func movesSwarm(st step) bool {
	switch st.(type) {
	case recordRevision, markRevision, removeRevision, createJob, removeJob:
		return false
	default:
		return true
	}
}

// creates is true when a service has just been made.
func creates(steps []step) bool {
	return slices.ContainsFunc(steps, func(st step) bool { _, ok := st.(createService); return ok })
}

// recreates is true when a service has just been taken away to be made anew.
func recreates(steps []step) bool {
	for _, st := range steps {
		if _, ok := st.(removeService); ok {
			return true
		}
	}

	return false
}
