package volume

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Work does what takes as long as there is data, and asks nodes about single volumes. What it fails with is of swarmobj's classes.
type Work interface {
	// Job is what was ordered last for an owner and is not dismissed; false when there is none. It does not block.
	Job(owner string) (volumejob.Job, bool)
	// Order begins a job beside us. It changes nothing while the owner has one.
	Order(o volumejob.Order)
	// Cancel ends the job of an owner, which may take a while, and Dismiss forgets one that has ended.
	Cancel(owner string)
	Dismiss(owner string)
	// Look asks a node for a volume. It blocks for half a minute at most.
	Look(ctx context.Context, node, name string) (volumejob.Presence, error)
	// Discard removes what an operation has made. It is idempotent, and blocks for half a minute at most. ErrExists: something else
	// has made what is there, which stays. ErrInUse: something mounts it.
	Discard(ctx context.Context, node, name, operation string) error
}

// step is what a pass has done about a move or a restore.
type step struct {
	// recorded is true when something was put on record: nothing else is done before it is there.
	recorded bool
	// why nothing moves, and refused when only people can change that.
	why     string
	refused bool
	// after is when to look again; zero for no need.
	after time.Duration
}

const (
	// soon is when something is looked at again that others are about to do, and that nobody tells of.
	soon = 2 * time.Second
	// later is when it is looked at again how far a job is, should its end not be told.
	later = 30 * time.Second
)

// seen is what a node has of a volume.
type seen struct {
	known, gone bool
	silent      time.Duration
	volumejob.Presence
}

// look asks a node, unless Swarm knows that it cannot answer.
func (c *Controller) look(ctx context.Context, v *v1alpha1.Volume, at volumejob.Place) seen {
	key := silence{v.UID, at.Node}
	nodes := c.swarm.Nodes()
	if c.swarm.State() == nil && len(nodes) > 0 {
		i := slices.IndexFunc(nodes, func(n swarm.Node) bool { return n.ID == at.Node })
		if i < 0 {
			return seen{gone: true}
		}
		if nodes[i].Status.State == swarm.NodeStateReady {
			p, err := c.work.Look(ctx, at.Node, at.Name)
			if err == nil {
				delete(c.silent, key)

				return seen{known: true, Presence: p}
			}
			slogctx.From(ctx).DebugContext(ctx, "A node does not say whether it has a volume", logkey.Node, nodes[i].Description.Hostname, logkey.Err, err)
		}
	}

	if c.silent[key].IsZero() {
		c.silent[key] = c.now()
	}

	return seen{silent: c.now().Sub(c.silent[key])}
}

// silence is a node that has not answered when it was asked about a Volume.
type silence struct {
	volume types.UID
	node   string
}

// forget drops what is kept in memory about a Volume.
func (c *Controller) forget(uid types.UID) {
	delete(c.chosen, uid)
	for key := range c.silent {
		if key.volume == uid {
			delete(c.silent, key)
		}
	}
}

// order gives an order, in the place of a job that has ended and was taken note of.
func (c *Controller) order(o volumejob.Order) {
	c.dismiss(o.Owner)
	c.work.Order(o)
}

// dismiss forgets the job of an owner if it has ended.
func (c *Controller) dismiss(owner string) {
	if j, ok := c.work.Job(owner); ok && j.Ended {
		c.work.Dismiss(owner)
	}
}

// end ends the job of an owner, or forgets it when it has ended. It is true when there is none any more.
func (c *Controller) end(owner string) bool {
	switch j, ok := c.work.Job(owner); {
	case !ok:
		return true
	case j.Ended:
		c.work.Dismiss(owner)

		return true
	default:
		c.work.Cancel(owner)

		return false
	}
}

// discard removes what an operation has made, and says what is in the way; empty when nothing is.
func (c *Controller) discard(ctx context.Context, at volumejob.Place, operation string) (string, error) {
	err := c.work.Discard(ctx, at.Node, at.Name, operation)
	switch {
	case err == nil, errors.Is(err, swarmobj.ErrNotFound), errors.Is(err, swarmobj.ErrExists):
		// What something else has made is found when the node is looked at again.
		return "", nil
	case errors.Is(err, swarmobj.ErrInUse):
		return "a container still refers to what was written, which is removed when that is gone", nil
	case errors.Is(err, swarmobj.ErrUnavailable), errors.Is(err, swarmobj.ErrRefused):
		return "the node does not answer, and has a part of what was written", nil
	default:
		return "", fmt.Errorf("discard %q: %w", operation, err)
	}
}

// current tells whether the store has the same moves and restores on record. What was read may be older, and what is done by an old
// record would be left lying.
func (c *Controller) current(ctx context.Context, v *v1alpha1.Volume) (bool, error) {
	var now v1alpha1.Volume
	if err := c.live.Get(ctx, client.ObjectKeyFromObject(v), &now); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	same := equality.Semantic.DeepEqual
	at, was := now.Status, v.Status

	return now.UID == v.UID && same(at.Move, was.Move) && same(at.Restore, was.Restore) && same(at.Restored, was.Restored), nil
}

// idle tells whether it is known that nothing runs, nor is to run, that mounts data of that name, on any node.
func (c *Controller) idle(name string) bool {
	if c.swarm.State() != nil || len(c.swarm.Nodes()) == 0 {
		return false
	}
	for _, s := range c.swarm.Mounting("", name) {
		if replicas(s.Service) != 0 || len(live(s, name)) > 0 {
			return false
		}
	}

	return true
}

// settled tells whether what mounts data of that name runs on the node, or is stopped and would run there.
func (c *Controller) settled(name, node string) bool {
	if c.swarm.State() != nil || len(c.swarm.Nodes()) == 0 {
		return false
	}
	services := c.swarm.Mounting("", name)
	for _, m := range volume.MountingOf(services, name) {
		if m.Node != node {
			return false
		}
	}
	for _, s := range services {
		tasks := live(s, name)
		if slices.ContainsFunc(tasks, func(t swarmobj.TaskDetail) bool { return t.NodeID != node }) {
			return false
		}
		if r := replicas(s.Service); r > 0 && !slices.ContainsFunc(tasks, func(t swarmobj.TaskDetail) bool { return t.Running() }) {
			return false
		}
	}

	return true
}

// live are the tasks of a service that have not ended and mount data of that name.
func live(s swarmobj.ServiceTasks, name string) []swarmobj.TaskDetail {
	var out []swarmobj.TaskDetail
	for _, t := range s.Tasks {
		if !t.Ended() && swarmobj.MountsVolume(t.Spec, name) {
			out = append(out, t)
		}
	}

	return out
}

// replicas is how many tasks a service is to have, and 1 for one that is not counted by that, such as a global one.
func replicas(s *swarm.Service) uint64 {
	switch {
	case s == nil, swarmobj.Stopped(&s.Spec):
		return 0
	case s.Spec.Mode.Replicated == nil || s.Spec.Mode.Replicated.Replicas == nil:
		return 1
	default:
		return *s.Spec.Mode.Replicated.Replicas
	}
}
