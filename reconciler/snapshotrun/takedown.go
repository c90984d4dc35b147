package snapshotrun

import (
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// eraseAgain is how long after one try to remove an archive the next begins at the earliest.
const eraseAgain = time.Minute

// takeDown ends what is being done for a snapshot that is being deleted, undoes what has to be, and removes the archive when its class
// says so.
func takeDown(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	if seen.Restoring != "" {
		return wait(v1alpha1.ReasonInUse, fmt.Sprintf("It is being deleted, and goes when Volume %s was restored from it", seen.Restoring))
	}
	if a := s.Status.Attempt; !over(a) {
		switch {
		case a.Process != seen.Process:
			return claim(s, seen)
		case a.Ended:
			return undo(s, seen)
		case seen.Job != nil && !seen.Job.Ended:
			return Decision{Do: Cancel, Reason: v1alpha1.ReasonDeleting, Message: "It is being deleted, and what is being done for it is ended"}
		default:
			return interrupted(s, seen)
		}
	}

	return reclaim(s, seen)
}

// interrupted puts on record that nothing is read any more.
func interrupted(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		next.Attempt.Ended = true
		if seen.Job != nil && seen.Job.Operation == Operation(s, next.Attempt) && seen.Job.Thawed || !needsUndo(next.Attempt) {
			undone(next, seen)
		}
	})
}

// reclaim obeys the deletion policy.
func reclaim(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	if j := seen.Job; j != nil && j.Kind != volumejob.Erase {
		return drop(j)
	}

	switch {
	case s.Status.ArchiveName == "":
		return Decision{Do: Finalize} // Nothing was ever begun.
	case s.Spec.Source.Archive != nil && !stored(&s.Status):
		return Decision{Do: Finalize} // What it names was never found to be what it should be.
	case seen.Class == nil:
		return wait(v1alpha1.ReasonClassNotFound, fmt.Sprintf("It is being deleted, and what becomes of its archive is for VolumeSnapshotClass %q to say, which does not exist; "+
			"make it again, with deletionPolicy Retain when the place is gone for good", s.Spec.ClassName))
	case seen.Class.Spec.DeletionPolicy != v1alpha1.ReclaimDelete, seen.Shared:
		// A job that removes it all the same was ordered before; it is ended, and what it has done is done.
		if seen.Job != nil {
			return drop(seen.Job)
		}

		return Decision{Do: Finalize}
	default:
		return erase(s, seen)
	}
}

// notErased is how it begins that people are told why an archive is still there.
const notErased = "It is being deleted, and its archive could not be removed; where the place is gone for good, deletionPolicy Retain of the class leaves it: "

// erase removes the archive. What has failed is told in the same words until it succeeds, however often it is tried.
func erase(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	order := volumejob.Order{
		Owner: string(s.UID), Namespace: s.Namespace, Kind: volumejob.Erase, Operation: fmt.Sprintf("erase/%s", s.UID),
		Archive: volumejob.Archive{Class: string(s.Spec.ClassName), Name: s.Status.ArchiveName, Namespace: s.Namespace, UID: s.Status.VolumeUID},
	}
	told := func(d Decision) Decision {
		d.Reason, d.Message = v1alpha1.ReasonDeleting, "It is being deleted, and its archive is being removed"
		if f := s.Status.LastFailure; f != nil && strings.HasPrefix(f.Message, notErased) {
			d.Reason, d.Message, d.Wrong = f.Reason, f.Message, true
		}

		return d
	}

	job := seen.Job
	switch {
	case job == nil:
		return told(Decision{Do: Order, Order: order})
	case !job.Ended:
		return told(Decision{Do: Wait})
	case job.Err == "":
		return Decision{Do: Finalize, Removed: true}
	}

	failure := v1alpha1.SnapshotFailure{Reason: reasonOf(job.Fault), Message: notErased + job.Err}
	if failure.Reason == v1alpha1.ReasonSnapshotting {
		failure.Reason = v1alpha1.ReasonDeleting
	}
	again := job.Began.Add(eraseAgain)
	switch f := s.Status.LastFailure; {
	case f == nil || *f != failure:
		return record(s, func(next *v1alpha1.VolumeSnapshotStatus) { next.LastFailure = &failure })
	case seen.Now.Before(again):
		d := told(Decision{Do: Wait})
		d.After = again

		return d
	default:
		return Decision{Do: Dismiss}
	}
}
