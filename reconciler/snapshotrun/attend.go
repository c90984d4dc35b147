package snapshotrun

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// attend goes on with an attempt that is not over.
func attend(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	a := s.Status.Attempt
	if a.Process != seen.Process {
		return claim(s, seen)
	}
	if a.Ended {
		return undo(s, seen)
	}

	order := reading(s, seen)
	switch job := seen.Job; {
	case job == nil && seen.Ordered == order.Operation:
		return claim(s, seen) // It was begun, and is gone without a word.
	case job == nil:
		return Decision{Do: Order, Order: order, Reason: v1alpha1.ReasonSnapshotting, Message: doing(order.Kind)}
	case job.Kind != order.Kind || job.Operation != order.Operation:
		return drop(job)
	case !job.Ended:
		return wait(v1alpha1.ReasonSnapshotting, doing(order.Kind))
	case job.Err != "":
		return failed(s, seen, job.Fault, job.Err, job.Permanent)
	case job.Receipt.Digest == "" || job.Receipt.SHA256 == "":
		return failed(s, seen, volumejob.FaultOther, "it is not known what was stored", false)
	case job.Receipt.UID != s.Status.VolumeUID:
		return failed(s, seen, volumejob.FaultArchive, "the archive is of another Volume", true)
	default:
		return made(s, seen)
	}
}

// claim puts the name of this process on record. What was being read is over; nobody knows how far it came.
func claim(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		a := next.Attempt
		a.Process, a.Ended, a.NotBefore = seen.Process, true, nil
		if !needsUndo(a) {
			undone(next, seen)
		}
	})
}

// reading is the order that an attempt stands for.
func reading(s *v1alpha1.VolumeSnapshot, seen Seen) volumejob.Order {
	a := s.Status.Attempt
	o := volumejob.Order{
		Owner: string(s.UID), Namespace: s.Namespace, Kind: volumejob.Save, Operation: Operation(s, a),
		Archive: volumejob.Archive{
			Class: string(s.Spec.ClassName), Name: s.Status.ArchiveName, Namespace: s.Namespace, Volume: string(s.Spec.Source.VolumeName),
			UID: s.Status.VolumeUID, Time: a.StartedAt.Time,
		},
	}
	if a.Node == "" {
		o.Kind = volumejob.Check
		return o
	}
	o.Source = volumejob.Place{Node: a.Node, Name: a.VolumeName}
	o.Quiet = quiet(s, seen.Volume, seen.Container)

	return o
}

// Operation names an attempt.
func Operation(s *v1alpha1.VolumeSnapshot, a *v1alpha1.SnapshotAttempt) string {
	return fmt.Sprintf("snapshot/%s/%d", s.UID, a.Number)
}

func doing(k volumejob.Kind) string {
	if k == volumejob.Check {
		return "The archive is being verified"
	}

	return "The data is being read, stored and verified"
}

// made puts on record what was stored. It is ready only when nothing is left to undo.
func made(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		r := seen.Job.Receipt
		next.CreationTime = &metav1.Time{Time: r.Time.UTC().Truncate(1e9)}
		next.RestoreSize, next.ArchiveSize = resource.NewQuantity(r.Bytes, resource.BinarySI), resource.NewQuantity(r.Size, resource.BinarySI)
		next.Entries, next.Digest, next.ArchiveSHA256 = r.Entries, r.Digest, r.SHA256
		next.LastFailure = nil

		next.Attempt.Ended = true
		if seen.Job.Thawed || !needsUndo(next.Attempt) {
			undone(next, seen)
		}
	})
}

// failed ends an attempt, and with too many of them the snapshot.
func failed(s *v1alpha1.VolumeSnapshot, seen Seen, fault volumejob.Fault, why string, permanent bool) Decision {
	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		next.Failures++
		next.LastFailure = &v1alpha1.SnapshotFailure{
			Reason: reasonOf(fault), Message: why, Final: permanent || next.Failures >= maxFailures || deleted(s, seen),
		}
		next.Attempt.Ended = true
		if seen.Job.Thawed || !needsUndo(next.Attempt) {
			undone(next, seen)
		}
	})
}

// deleted is true when the Volume is not the one any more that it was begun for, or soon will not be.
func deleted(s *v1alpha1.VolumeSnapshot, seen Seen) bool {
	if s.Spec.Source.Archive != nil {
		return false
	}
	v := seen.Volume

	return v == nil || string(v.UID) != s.Status.VolumeUID || !v.DeletionTimestamp.IsZero()
}

// reasonOf is the word for a failure.
func reasonOf(f volumejob.Fault) string {
	switch f {
	case volumejob.FaultStore, volumejob.FaultFull:
		return v1alpha1.ReasonStoreUnavailable
	case volumejob.FaultArchive:
		return v1alpha1.ReasonArchiveRefused
	case volumejob.FaultHook:
		return v1alpha1.ReasonHookFailed
	case volumejob.FaultNode:
		return v1alpha1.ReasonNodeUnreachable
	case volumejob.FaultKey:
		return v1alpha1.ReasonKeyInvalid
	default:
		return v1alpha1.ReasonSnapshotting
	}
}

// undone is what is on record when nothing is left of an attempt.
func undone(next *v1alpha1.VolumeSnapshotStatus, seen Seen) {
	if stored(next) || next.LastFailure != nil && next.LastFailure.Final {
		next.Attempt = nil
		return
	}
	a := next.Attempt
	a.Ended, a.Undone, a.UndoFailures = true, true, 0
	a.NotBefore = pause(next.Failures, seen.Now)
}

// undo lets go on what was frozen, and runs the post hook, until that has succeeded.
func undo(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	a := s.Status.Attempt
	settle := func() Decision {
		return record(s, func(next *v1alpha1.VolumeSnapshotStatus) { undone(next, seen) })
	}
	if seen.Node(a.Node) == NodeGone {
		return settle() // And what ran there with it.
	}

	order := volumejob.Order{
		Owner: string(s.UID), Namespace: s.Namespace, Kind: volumejob.Thaw, Operation: fmt.Sprintf("%s/undo/%d", Operation(s, a), a.UndoFailures),
		Source: volumejob.Place{Node: a.Node, Name: a.VolumeName}, Quiet: quiet(s, nil, ""),
	}
	const message = "What was done before reading is being undone"
	if seen.Job == nil && seen.Node(a.Node) != NodeReady {
		// The server may have just started; or the node is down, and each try would be a record of nothing new.
		d := wait(v1alpha1.ReasonThawing, message+", once its node answers")
		d.After = seen.Now.Add(blind)

		return d
	}
	switch job := seen.Job; {
	case job != nil && (job.Kind != order.Kind || job.Operation != order.Operation):
		return drop(job)
	case job == nil && !due(a, seen.Now):
		d := wait(v1alpha1.ReasonThawing, message)
		d.After = a.NotBefore.Time
		if f := s.Status.LastFailure; f != nil {
			d.Message, d.Wrong = "What was done before reading could not be undone yet: "+f.Message, true
		}

		return d
	case job == nil:
		return Decision{Do: Order, Order: order, Reason: v1alpha1.ReasonThawing, Message: message}
	case !job.Ended:
		return wait(v1alpha1.ReasonThawing, message)
	case job.Err == "":
		return settle()
	default:
		return notUndone(s, seen)
	}
}

// notUndone puts on record that something is left to undo. A hook that fails again and again is given up, and so is the snapshot; containers
// that are frozen never are.
func notUndone(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	job := seen.Job

	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		a := next.Attempt
		final := next.LastFailure != nil && next.LastFailure.Final
		a.UndoFailures++
		a.NotBefore = undoPause(a.UndoFailures, seen.Now)
		if !stored(next) {
			next.LastFailure = &v1alpha1.SnapshotFailure{Reason: reasonOf(job.Fault), Message: job.Err, Final: final}
		}
		if job.Fault == volumejob.FaultHook && (job.Permanent || a.UndoFailures >= maxFailures) {
			if next.LastFailure != nil {
				next.LastFailure.Final = true
			}
			undone(next, seen)
		}
	})
}
