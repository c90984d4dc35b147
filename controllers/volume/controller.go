package volume

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/volume"
)

// Name of the control loop, in logs and metrics.
const Name = "volume"

// Storage is what nodes tell of volumes of ours.
type Storage interface {
	// Held are the volumes of that name, on whichever nodes. It asks nobody.
	Held(name string) []volume.Held
	// Told tells whether a node has told lately what it has: what is missing was not there then.
	Told(node string) bool
	// Exists asks a node for one volume.
	Exists(ctx context.Context, node, name string) (bool, error)
	// Remove removes one, with what is in it. It is idempotent. It fails with swarmobj.ErrInUse while a container refers to it,
	// ErrRefused when the node will not, and ErrUnavailable when it cannot be asked.
	Remove(ctx context.Context, node, name string) error
}

// Swarm knows the nodes.
type Swarm interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Nodes of the swarm, as last seen. Nobody changes them.
	Nodes() []swarm.Node
	// Mounting are the services of a tenant, or of all when it is empty, that mount a volume by what engines call it, or of which a
	// task that has not ended does. Nobody changes them.
	Mounting(tenant, source string) []swarmobj.ServiceTasks
	// Writers are the services of a tenant that mount a volume for writing, or of which a task does that has not ended, of those that were
	// removed as well. It asks the engine.
	Writers(ctx context.Context, tenant, source string) ([]swarmobj.Writer, error)
}

// Recorder records events.
type Recorder interface {
	Event(object runtime.Object, eventType, reason, message string)
}

// Confined tells whether the containers of a namespace keep off the managers of the swarm, because the security profile of its
// tenant trusts them with nothing beyond themselves. It may read from a cache.
type Confined func(ctx context.Context, namespace string) (bool, error)

// Controller decides about Volumes.
type Controller struct {
	client   client.Client
	live     client.Reader
	storage  Storage
	swarm    Swarm
	recorder Recorder
	confined Confined
	// restores is how often the store was put back to an earlier time, and now the clock.
	restores int64
	now      func() time.Time

	// work does what takes as long as there is data.
	work Work

	// chosen are the nodes of Volumes that the cache may not show yet, by UID, and silent since when nodes have not answered. Only the
	// one worker uses them.
	chosen map[types.UID]string
	silent map[silence]time.Time
}

// New returns the controller. c may read from a cache; live asks the API server itself.
func New(c client.Client, live client.Reader, storage Storage, work Work, nodes Swarm, confined Confined, recorder Recorder) *Controller {
	return &Controller{
		client: c, live: live, storage: storage, work: work, swarm: nodes, confined: confined, recorder: recorder, now: time.Now,
		chosen: map[types.UID]string{}, silent: map[silence]time.Time{},
	}
}

// AfterRestores tells how often the store was put back to an earlier time. It must be called before the first pass.
func (c *Controller) AfterRestores(n int64) *Controller {
	c.restores = n

	return c
}

const (
	// again is when a Volume is looked at that waits for something that wakes nobody, and adoptedAgain one whose data carries
	// the labels of another, which hints are about.
	again        = time.Minute
	adoptedAgain = 10 * time.Minute
)

// Reconcile looks at one Volume. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, v *v1alpha1.Volume) (outcome.Result, error) {
	if !v.DeletionTimestamp.IsZero() {
		return c.finalize(ctx, v)
	}

	c.lapse(v)
	if err := c.recall(ctx, v); err != nil {
		return outcome.Result{RequeueAfter: again}, err
	}
	view, err := c.observe(ctx, v)
	if err != nil {
		return outcome.Result{}, err
	}
	if err := c.doubt(ctx, view); err != nil {
		return outcome.Result{RequeueAfter: again}, err
	}
	verdict := c.judge(ctx, view)
	if v.Status.Node == nil && verdict.Node != nil {
		c.chosen[v.UID] = verdict.Node.ID
	}
	report(v, view, verdict)

	done, err := c.operate(ctx, view, verdict)
	if err != nil {
		return outcome.Result{}, err
	}
	tell(v, view, done)
	result, end := ending(v, verdict)
	if result, end = merge(v, verdict, done, result, end); end == nil {
		conditions.MarkReady(v, verdict.Reason, verdict.Message)
	}
	if verdict.Ready != corev1.ConditionTrue {
		return result, end
	}

	next, err := c.snapshots(ctx, v)
	if err != nil {
		return outcome.Result{}, err
	}

	return sooner(result, end, next)
}

// judge asks the node itself before data counts as lost: a list may be from a moment before.
func (c *Controller) judge(ctx context.Context, view volume.View) volume.Verdict {
	verdict := volume.Judge(view)
	var asked v1alpha1.VolumeNode
	switch {
	case verdict.Left != "":
		asked = c.nodeNamed(view.Volume, verdict.Left)
	case verdict.Missing:
		asked = *verdict.Node
	default:
		return verdict
	}

	name := volume.Name(view.Volume)
	there, err := c.storage.Exists(ctx, asked.ID, name)
	switch {
	case err != nil:
		return volume.Verdict{
			Node: &asked, Ready: corev1.ConditionUnknown, Reason: v1alpha1.ReasonNodeUnreachable,
			Message: fmt.Sprintf("The node %s has not told of the data lately, and cannot be asked", host(asked)),
		}
	case there:
		view.Held = append(slices.Clone(view.Held), volume.Held{Node: asked.ID, Name: name})
		return volume.Judge(view)
	default:
		return verdict
	}
}

// report writes down what was seen.
func report(v *v1alpha1.Volume, view volume.View, verdict volume.Verdict) {
	s := &v.Status
	if view.Whole() && len(view.Nodes) > 0 {
		s.Restores = new(view.Restores)
	}
	s.VolumeName, s.Node = volume.Name(v), verdict.Node
	s.UsedBy = users(view.Consumers)
	if verdict.Seen && s.ProvisionedAt == nil {
		s.ProvisionedAt = new(metav1.Now().Rfc3339Copy())
	}
	everywhere := view.Class != nil && view.Class.Spec.Access == v1alpha1.AccessMany
	// Of what is still to be filled a run of a job has mounted another, that had the name before.
	if s.MountedAt == nil && view.Mounted() && (s.Node != nil || everywhere) && (len(view.Mounting) > 0 || !volume.Unfilled(v)) {
		s.MountedAt = new(metav1.Now().Rfc3339Copy())
	}

	var bytes int64
	var at time.Time
	for _, h := range view.Held {
		if !h.MeasuredAt.IsZero() && (verdict.Node == nil || h.Node == verdict.Node.ID) {
			// Of what all nodes see each tells the same.
			bytes, at = max(bytes, h.Bytes), h.MeasuredAt
		}
	}
	if !at.IsZero() && (s.Used == nil || s.Used.Value() != bytes) {
		s.Used, s.MeasuredAt = resource.NewQuantity(bytes, resource.BinarySI), &metav1.Time{Time: at.Truncate(time.Second)}
	}

	if s.Used != nil && s.Used.Cmp(v.Spec.Size) > 0 {
		conditions.Set(v, v1alpha1.ConditionOverfull, metav1.ConditionTrue, v1alpha1.ReasonOverfull,
			"More is in it than spec.size, which nothing prevents: make it larger, or remove something")
	} else {
		conditions.Delete(v, v1alpha1.ConditionOverfull)
	}
}

// maxUsers are listed in the status.
const maxUsers = 64

func users(consumers []volume.Consumer) []v1alpha1.VolumeUser {
	var out []v1alpha1.VolumeUser
	for _, c := range consumers {
		if len(out) == maxUsers {
			break
		}
		out = append(out, v1alpha1.VolumeUser{Kind: c.Kind, Name: c.Name})
	}

	return out
}

// ending turns a verdict into how the pass ends. Conditions follow when nothing else has a say: what is set and then set otherwise would
// be written in every pass.
func ending(v *v1alpha1.Volume, verdict volume.Verdict) (outcome.Result, error) {
	switch {
	case verdict.Ready == corev1.ConditionTrue:
		if v.Spec.Adopt != "" {
			return outcome.Result{RequeueAfter: adoptedAgain}, nil
		}

		return outcome.Result{}, nil
	case verdict.Stalled:
		return outcome.Result{RequeueAfter: again}, &outcome.Stall{Reason: verdict.Reason, Message: verdict.Message}
	default:
		return outcome.Result{}, &outcome.Wait{
			Reason: verdict.Reason, Message: verdict.Message, Ready: metav1.ConditionStatus(verdict.Ready), After: again,
		}
	}
}
