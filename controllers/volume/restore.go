package volume

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
	"github.com/dogker/dogker/reconciler/volumerestore"
)

// restoring is what a restore is decided by, beside the record.
type restoring struct {
	// snapshot is the name of what is to be restored; empty for nothing.
	snapshot string
	// node that it would be restored on; empty while none is chosen.
	node string
	// class of the Volume; nil when it is not there.
	class *v1alpha1.VolumeClass
	// obstacle is why none may begin now; empty when one may.
	obstacle string
}

// restore goes one step with a restore, or begins one.
func (c *Controller) restore(ctx context.Context, v *v1alpha1.Volume, r restoring) (step, error) {
	state := restoreState(v)
	wish := volumerestore.Wish{
		Volume: string(v.UID), Generation: v.Generation, Snapshot: r.snapshot,
		Place: volumerestore.Place{Node: r.node, Name: volume.RestoredName(v, v.Generation)},
	}
	if state.Restore == nil && r.snapshot == "" && state.Done == nil && state.Failed == nil {
		return step{}, nil
	}

	at := volumerestore.Seen{Now: c.now(), Busy: r.obstacle, MaxBytes: v.Spec.Size.Value()}
	if r.class == nil || !volume.Portable(r.class) {
		at.Refusal = fmt.Sprintf("data of the VolumeClass %q is not in volumes of engines, and is not written by Dogker", v.Spec.ClassName)
	}
	snapshot, err := c.snapshotOf(ctx, v, r.snapshot)
	if err != nil {
		return step{}, err
	}
	at.Snapshot = standing(snapshot)
	if job, ok := c.work.Job(string(v.UID)); ok {
		at.Job = &volumerestore.Job{Operation: job.Operation, Ended: job.Ended, Err: job.Err, Permanent: job.Permanent}
	}
	if place, look := target(state, wish, &at); look {
		s := c.look(ctx, v, volumejob.Place{Node: place.Node, Name: place.Name})
		at.Target = volumerestore.Presence{Known: s.known, Gone: s.gone, There: s.There, Operation: s.Operation}
	}

	d := volumerestore.Decide(state, wish, at)
	if c.putRestore(v, d.State) {
		return step{recorded: true}, nil
	}
	if d.Do == volumerestore.Nothing {
		out := step{why: d.Why, refused: d.Refused}
		switch {
		case !d.After.IsZero():
			out.after = max(d.After.Sub(at.Now), time.Second)
		case state.Restore != nil:
			out.after = later
		}

		return out, nil
	}

	return c.doRestore(ctx, v, snapshot, d)
}

// target is the volume that has to be looked at; false when nothing follows from it.
func target(s volumerestore.State, w volumerestore.Wish, at *volumerestore.Seen) (volumerestore.Place, bool) {
	if s.Restore != nil {
		return s.Restore.Place, true
	}
	done := s.Done != nil && s.Done.Snapshot == w.Snapshot && !s.Done.Removed
	ready := at.Snapshot.Standing == volumerestore.Ready && at.Refusal == "" && at.Busy == ""

	return w.Place, w.Snapshot != "" && w.Node != "" && !done && ready && s.Failed == nil
}

// snapshotOf reads a VolumeSnapshot; nil when there is none of that name.
func (c *Controller) snapshotOf(ctx context.Context, v *v1alpha1.Volume, name string) (*v1alpha1.VolumeSnapshot, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // None is asked for.
	}
	var s v1alpha1.VolumeSnapshot
	if err := c.client.Get(ctx, client.ObjectKey{Namespace: v.Namespace, Name: name}, &s); apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // It is no error that there is none.
	} else if err != nil {
		return nil, fmt.Errorf("read snapshot %q: %w", name, err)
	}

	return &s, nil
}

// standing is what a VolumeSnapshot means for a restore.
func standing(s *v1alpha1.VolumeSnapshot) volumerestore.Snapshot {
	if s == nil {
		return volumerestore.Snapshot{}
	}
	out := volumerestore.Snapshot{Standing: volumerestore.Making, UID: string(s.UID)}
	if s.Status.RestoreSize != nil {
		out.Bytes = s.Status.RestoreSize.Value()
	}

	switch ready := conditions.Get(s, conditions.Ready); {
	case !s.DeletionTimestamp.IsZero():
		out.Standing, out.Message = volumerestore.Broken, "it is being deleted"
	case conditions.IsTrue(s, conditions.Ready) && s.Status.ArchiveName != "":
		out.Standing = volumerestore.Ready
	case conditions.IsTrue(s, conditions.Stalled):
		out.Standing, out.Message = volumerestore.Broken, ready.Message
	}

	return out
}

// doRestore does what was decided, if the store still has the record that it was decided by.
func (c *Controller) doRestore(ctx context.Context, v *v1alpha1.Volume, s *v1alpha1.VolumeSnapshot, d volumerestore.Decision) (step, error) {
	if is, err := c.current(ctx, v); err != nil || !is {
		return step{why: d.Why, after: soon}, err
	}
	owner, at := string(v.UID), volumejob.Place{Node: d.State.Restore.Node, Name: d.State.Restore.Name}

	switch d.Do {
	case volumerestore.Write:
		c.order(volumejob.Order{
			Owner: owner, Namespace: v.Namespace, Kind: volumejob.Restore, Operation: d.Operation, Target: at,
			Make: volumejob.Making{Labels: volume.Owner(v).Labels()}, Archive: archiveOf(s), MaxBytes: v.Spec.Size.Value(),
		})
	case volumerestore.Cancel:
		if c.end(owner) {
			return step{why: d.Why, after: atOnce}, nil
		}
	case volumerestore.Discard:
		why, err := c.discard(ctx, at, d.Operation)
		if err != nil || why == "" {
			return step{why: d.Why, after: atOnce}, err
		}

		return step{why: why, after: later}, nil
	case volumerestore.Nothing:
	}

	return step{why: d.Why, after: later}, nil
}

// archiveOf is where a snapshot that is ready is kept.
func archiveOf(s *v1alpha1.VolumeSnapshot) volumejob.Archive {
	a := volumejob.Archive{
		Class: string(s.Spec.ClassName), Name: s.Status.ArchiveName, Namespace: s.Namespace, Volume: string(s.Spec.Source.VolumeName),
		UID: s.Status.VolumeUID, SHA256: s.Status.ArchiveSHA256,
	}
	if s.Status.CreationTime != nil {
		a.Time = s.Status.CreationTime.Time
	}

	return a
}

// restoreState is what is on record, as volumerestore reads it.
func restoreState(v *v1alpha1.Volume) volumerestore.State {
	at := &v.Status
	s := volumerestore.State{Place: volumerestore.Place{Name: volume.Name(v)}}
	s.Has = at.ProvisionedAt != nil || at.MountedAt != nil || at.Restored != nil
	if at.Node != nil {
		s.Node = at.Node.ID
	}
	if r := at.Restored; r != nil {
		s.Done = &volumerestore.Done{Snapshot: string(r.Snapshot), UID: r.SnapshotUID, Removed: r.Removed}
	}
	for _, o := range at.Superseded {
		s.Superseded = append(s.Superseded, volumerestore.Place{Node: o.Node, Name: o.VolumeName})
	}

	switch r := at.Restore; {
	case r == nil:
	case r.Phase == v1alpha1.RestoreGivenUp:
		s.Failed = &volumerestore.Failure{Wish: r.Generation, Snapshot: string(r.Snapshot), Reason: r.Message}
	default:
		s.Restore = &volumerestore.Restore{
			Wish: r.Generation, Snapshot: string(r.Snapshot), UID: r.SnapshotUID, Place: volumerestore.Place{Node: r.Node.ID, Name: r.VolumeName},
			Phase: volumerestore.Phase(r.Phase), Try: int(r.Try), Failures: int(r.Failures), Reason: r.Message,
		}
		if r.NotBefore != nil {
			s.Restore.NotBefore = r.NotBefore.Time
		}
	}

	return s
}

// putRestore puts a state on record. It is false when that is there already.
func (c *Controller) putRestore(v *v1alpha1.Volume, s volumerestore.State) bool {
	before, had := v.Status.DeepCopy(), restoreState(v)
	at := &v.Status

	switch r := s.Restore; {
	case r != nil:
		at.Restore = &v1alpha1.VolumeRestore{
			Generation: r.Wish, Snapshot: v1alpha1.ObjectName(r.Snapshot), SnapshotUID: r.UID, Node: c.nodeNamed(v, r.Node), VolumeName: r.Name,
			Phase: v1alpha1.RestorePhase(r.Phase), Try: int32(r.Try), Failures: int32(r.Failures), Message: cut(r.Reason), //nolint:gosec // Tries end after a few.
		}
		if old := before.Restore; old != nil && old.Node.ID == r.Node {
			at.Restore.Node = old.Node
		}
		if !r.NotBefore.IsZero() {
			at.Restore.NotBefore = &metav1.Time{Time: r.NotBefore.Truncate(time.Second)}
		}
	case s.Failed == nil:
		at.Restore = nil
	case had.Failed == nil:
		r := before.Restore
		at.Restore = &v1alpha1.VolumeRestore{
			Generation: s.Failed.Wish, Snapshot: r.Snapshot, SnapshotUID: r.SnapshotUID, Node: r.Node, VolumeName: r.VolumeName,
			Phase: v1alpha1.RestoreGivenUp, Failures: r.Failures, Message: cut(s.Failed.Reason),
		}
	}

	if d := s.Done; d != nil && (had.Done == nil || *d != *had.Done || s.Place != had.Place) {
		at.Restored = &v1alpha1.VolumeRestored{
			Snapshot: v1alpha1.ObjectName(d.Snapshot), SnapshotUID: d.UID, At: c.timestamp(), VolumeName: s.Name, Removed: d.Removed,
		}
		if s.Place == had.Place && before.Restored != nil {
			at.Restored.At = before.Restored.At
		} else {
			c.countNew(v, s.Place)
		}
	}
	at.Superseded = nil
	for _, p := range s.Superseded {
		at.Superseded = append(at.Superseded, v1alpha1.SupersededData{VolumeName: p.Name, Node: p.Node})
	}
	if equality.Semantic.DeepEqual(before, at) {
		return false
	}
	c.tellRestore(v, before)

	return true
}

// countNew has data count that was restored.
func (c *Controller) countNew(v *v1alpha1.Volume, p volumerestore.Place) {
	at := &v.Status
	node := c.nodeNamed(v, p.Node)
	at.Node, at.VolumeName = &node, p.Name
	at.Used, at.MeasuredAt = nil, nil
	if at.ProvisionedAt == nil {
		at.ProvisionedAt = new(c.timestamp()) // It was read there.
	}
}

// timestamp is the present time with the precision that the API keeps.
func (c *Controller) timestamp() metav1.Time { return metav1.NewTime(c.now()).Rfc3339Copy() }

// Reasons of events of restores.
const (
	eventRestoring     = "Restoring"
	eventRestored      = "Restored"
	eventRestoreFailed = "RestoreFailed"
)

// tellRestore says what has begun or ended.
func (c *Controller) tellRestore(v *v1alpha1.Volume, before *v1alpha1.VolumeStatus) {
	was, is := before.Restore, v.Status.Restore

	switch {
	case is != nil && is.Phase == v1alpha1.RestoreWriting && (was == nil || was.Phase == v1alpha1.RestoreGivenUp):
		c.recorder.Event(v, corev1.EventTypeNormal, eventRestoring, fmt.Sprintf("Restoring VolumeSnapshot %s on %s, beside what it has", is.Snapshot, host(is.Node)))
	case is != nil && is.Phase == v1alpha1.RestoreGivenUp && was != nil && was.Phase != v1alpha1.RestoreGivenUp:
		c.recorder.Event(v, corev1.EventTypeWarning, eventRestoreFailed, capital(is.Message))
	case v.Status.Restored != nil && before.VolumeName != v.Status.VolumeName:
		c.recorder.Event(v, corev1.EventTypeNormal, eventRestored, fmt.Sprintf("Restored VolumeSnapshot %s; what mounts the Volume is restarted with it", v.Status.Restored.Snapshot))
	}
}
