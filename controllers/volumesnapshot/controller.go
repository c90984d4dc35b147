package volumesnapshot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Name of the control loop, in logs and metrics.
const Name = "volumesnapshot"

// Jobs does what takes as long as there is data. None of it blocks.
type Jobs interface {
	// Job is that of an owner, running or ended; false when this process has none.
	Job(owner string) (volumejob.Job, bool)
	// Order begins one. It changes nothing while there is one that is not dismissed.
	Order(o volumejob.Order)
	// Cancel ends one, some time later. Dismiss forgets one that has ended.
	Cancel(owner string)
	Dismiss(owner string)
}

// Storage is what nodes tell of volumes of ours.
type Storage interface {
	// Held are the volumes of that name, on whichever nodes. It asks nobody.
	Held(name string) []volume.Held
	// Told tells whether a node has told lately what it has: what is missing was not there then.
	Told(node string) bool
}

// Swarm knows the nodes.
type Swarm interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// Nodes of the swarm, as last seen. Nobody changes them.
	Nodes() []swarm.Node
}

// Recorder records events.
type Recorder interface {
	Event(object runtime.Object, eventType, reason, message string)
}

// Ports are what the controller needs of the world.
type Ports struct {
	Jobs     Jobs
	Storage  Storage
	Swarm    Swarm
	Recorder Recorder
}

// Controller decides about VolumeSnapshots.
type Controller struct {
	Ports
	client client.Client
	live   client.Reader
	// process is the name of this one, which no other has, and now the clock.
	process string
	now     func() time.Time
	// ordered is the last operation that was ordered for a snapshot. Only the one worker uses it.
	ordered map[types.NamespacedName]order
}

// order is an operation that was ordered for a snapshot.
type order struct {
	uid       types.UID
	operation string
}

// New returns the controller. c may read from a cache; live asks the API server itself.
func New(c client.Client, live client.Reader, ports Ports) *Controller {
	return &Controller{Ports: ports, client: c, live: live, process: string(uuid.NewUUID()), now: time.Now, ordered: map[types.NamespacedName]order{}}
}

const (
	// atOnce is when a pass goes on that has only put something on record.
	atOnce = time.Millisecond
	// again is when one is looked at that waits for what wakes nobody, or whose wake-up was lost.
	again = time.Minute
	// maxDismissed is how many jobs of one snapshot a pass forgets; there is one.
	maxDismissed = 3
)

// Reasons of events. That it is ready, or has failed, is told by the engine.
const (
	eventCreating = "CreatingSnapshot"
	eventRemoved  = "ArchiveRemoved"
)

// Reconcile looks at one VolumeSnapshot. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, s *v1alpha1.VolumeSnapshot) (outcome.Result, error) {
	for range maxDismissed {
		seen, err := c.observe(ctx, s)
		if err != nil {
			return outcome.Result{}, err
		}
		d := snapshotrun.Decide(s, seen)
		if d.Do != snapshotrun.Dismiss {
			return c.act(s, d, seen)
		}
		c.Jobs.Dismiss(string(s.UID))
	}

	return outcome.Result{}, fmt.Errorf("attend snapshot %q: its job cannot be dismissed", s.Name)
}

// Forget implements engine.Forgetter.
func (c *Controller) Forget(key types.NamespacedName) { delete(c.ordered, key) }

// act does the one thing that was decided.
func (c *Controller) act(s *v1alpha1.VolumeSnapshot, d snapshotrun.Decision, seen snapshotrun.Seen) (outcome.Result, error) {
	switch d.Do {
	case snapshotrun.Record:
		return c.record(s, d.Record, seen)
	case snapshotrun.Order:
		if a := s.Status.Attempt; d.Order.Kind == volumejob.Save && a.Number == 1 && c.ordered[client.ObjectKeyFromObject(s)].operation != d.Order.Operation {
			c.Recorder.Event(s, corev1.EventTypeNormal, eventCreating, fmt.Sprintf("Reading Volume %s", s.Spec.Source.VolumeName))
		}
		c.ordered[client.ObjectKeyFromObject(s)] = order{s.UID, d.Order.Operation}
		c.Jobs.Order(d.Order)
	case snapshotrun.Cancel:
		c.Jobs.Cancel(string(s.UID))
	case snapshotrun.Finalize:
		c.Jobs.Dismiss(string(s.UID))
		delete(c.ordered, client.ObjectKeyFromObject(s))
		if d.Removed {
			c.Recorder.Event(s, corev1.EventTypeNormal, eventRemoved, fmt.Sprintf("Removed the archive %s", s.Status.ArchiveName))
		}

		return outcome.Result{Finalized: true}, nil
	case snapshotrun.Wait, snapshotrun.Ready, snapshotrun.Fail, snapshotrun.Dismiss:
	}

	return c.tell(s, d)
}

// record puts a status on record, with the words for what follows from it: what is done next is then told already.
func (c *Controller) record(s *v1alpha1.VolumeSnapshot, next *v1alpha1.VolumeSnapshotStatus, seen snapshotrun.Seen) (outcome.Result, error) {
	next.Conditions, next.ObservedGeneration = s.Status.Conditions, s.Status.ObservedGeneration
	s.Status = *next

	seen.Job, seen.Ordered = nil, ""
	result, err := c.tell(s, snapshotrun.Decide(s, seen))
	result.RequeueAfter = atOnce
	if wait := (*outcome.Wait)(nil); errors.As(err, &wait) {
		wait.After = atOnce
	}

	return result, err
}

// tell turns a decision into how the pass ends.
func (c *Controller) tell(s *v1alpha1.VolumeSnapshot, d snapshotrun.Decision) (outcome.Result, error) {
	switch d.Do {
	case snapshotrun.Ready:
		conditions.MarkReady(s, d.Reason, d.Message)
		return outcome.Result{}, nil
	case snapshotrun.Fail:
		return outcome.Result{}, &outcome.Stall{Reason: d.Reason, Message: d.Message}
	case snapshotrun.Finalize, snapshotrun.Record:
		// It is what follows a record: the next pass does it, at once.
		d.Reason, d.Message = v1alpha1.ReasonSnapshotting, "What is on record is being attended to"
		if !s.DeletionTimestamp.IsZero() {
			d.Reason, d.Message = v1alpha1.ReasonDeleting, "It is being deleted"
		}
	}

	w := &outcome.Wait{Reason: d.Reason, Message: d.Message, After: again}
	if !d.After.IsZero() {
		w.After = min(max(d.After.Sub(c.now()), atOnce), again)
	}
	if d.Wrong {
		w.Err = errors.New(d.Message)
	}

	return outcome.Result{}, w
}
