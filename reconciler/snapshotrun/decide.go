package snapshotrun

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volumejob"
)

const (
	// maxFailures is how many attempts may fail before none is made any more, and how often a post hook may fail that is run again.
	maxFailures = 5
	// The pause between two attempts, and between two tries to undo, grows from the first to the longest.
	firstPause, firstUndoPause, longestPause = 10 * time.Second, 2 * time.Second, 5 * time.Minute
	// blind is when it is looked again whether a node is known, or answers, by now.
	blind = 2 * time.Second
)

// Decide says what follows. Nothing that is passed is changed.
func Decide(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	a := s.Status.Attempt

	switch {
	case !s.DeletionTimestamp.IsZero():
		return takeDown(s, seen)
	case !over(a):
		return attend(s, seen)
	case seen.Job != nil:
		return drop(seen.Job)
	case Made(&s.Status):
		return Decision{Do: Ready, Reason: v1alpha1.ReasonSnapshotReady, Message: "It was stored, read back and verified"}
	case Failed(&s.Status):
		return Decision{Do: Fail, Reason: v1alpha1.ReasonSnapshotFailed, Message: failedWord(s.Status.LastFailure)}
	default:
		return begin(s, seen)
	}
}

// failedWord says why it failed for good.
func failedWord(f *v1alpha1.SnapshotFailure) string {
	return "It could not be made, and is not tried again: " + f.Message
}

// drop is what is done about a job that nothing on record asks for.
func drop(j *volumejob.Job) Decision {
	if j.Ended {
		return Decision{Do: Dismiss}
	}

	return Decision{Do: Cancel, Reason: v1alpha1.ReasonSnapshotting, Message: "What was begun before is being ended"}
}

// begin puts the next attempt on record, when it can be made.
func begin(s *v1alpha1.VolumeSnapshot, seen Seen) Decision {
	if s.Spec.ClassName == "" {
		return Decision{Do: Fail, Reason: v1alpha1.ReasonClassNotFound, Message: "spec.className is not set, and there was no default class; make another snapshot that names one"}
	}
	if d, cannot := classHinders(s, seen.Class); cannot {
		return d
	}
	if s.Spec.Source.Archive == nil {
		if d, cannot := volumeHinders(s, seen); cannot {
			return d
		}
	}
	if a := s.Status.Attempt; a != nil && !due(a, seen.Now) {
		return retrying(s.Status.LastFailure, a.NotBefore.Time)
	}

	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		a := &v1alpha1.SnapshotAttempt{Number: 1, StartedAt: metav1.Time{Time: seen.Now.UTC().Truncate(time.Second)}, Process: seen.Process}
		if next.Attempt != nil {
			a.Number = next.Attempt.Number + 1
		}
		next.ArchiveName = ArchiveName(s)
		if from := s.Spec.Source.Archive; from != nil {
			next.VolumeUID = from.VolumeUID
		} else {
			next.VolumeUID = string(seen.Volume.UID)
			a.Node, a.VolumeName = seen.Source.Node, seen.Source.Name
			a.Quiesce, a.PostHook = v1alpha1.QuiesceNone, postHook(seen.Volume, seen.Container)
			if c := seen.Volume.Spec.Snapshots; c != nil && c.Quiesce != "" {
				a.Quiesce = c.Quiesce
			}
		}
		next.Attempt = a
	})
}

// classHinders says whether nothing can be stored or read because of the class.
func classHinders(s *v1alpha1.VolumeSnapshot, class *v1alpha1.VolumeSnapshotClass) (Decision, bool) {
	if class == nil {
		return wait(v1alpha1.ReasonClassNotFound, fmt.Sprintf("The VolumeSnapshotClass %q does not exist", s.Spec.ClassName)), true
	}
	switch ready := conditions.Get(class, conditions.Ready); {
	case ready == nil:
		return wait(v1alpha1.ReasonStoreUnavailable, fmt.Sprintf("The VolumeSnapshotClass %q was not looked at yet", class.Name)), true
	case ready.Status == metav1.ConditionFalse && class.DeletionTimestamp.IsZero():
		// What is wrong with it is the platform's business, and may name where archives are.
		d := wait(v1alpha1.ReasonStoreUnavailable, fmt.Sprintf("The place of VolumeSnapshotClass %q cannot be used at the moment", class.Name))
		if ready.Reason == v1alpha1.ReasonKeyInvalid {
			d = wait(v1alpha1.ReasonKeyInvalid, fmt.Sprintf("The key of VolumeSnapshotClass %q cannot be used", class.Name))
		}

		return d, true
	}

	return Decision{}, false
}

// volumeHinders says whether nothing can be read because of the Volume.
func volumeHinders(s *v1alpha1.VolumeSnapshot, seen Seen) (Decision, bool) {
	began := s.Status.VolumeUID
	name := s.Spec.Source.VolumeName

	switch v := seen.Volume; {
	case v == nil && began == "":
		return wait(v1alpha1.ReasonVolumeNotFound, fmt.Sprintf("The Volume %q does not exist", name)), true
	case v == nil, began != "" && string(v.UID) != began:
		return failForGood(s, v1alpha1.ReasonVolumeNotFound, fmt.Sprintf("the Volume %q was deleted before it was made", name)), true
	case !v.DeletionTimestamp.IsZero():
		return failForGood(s, v1alpha1.ReasonDeleting, fmt.Sprintf("the Volume %q is being deleted", name)), true
	case seen.Obstacle != nil:
		d := wait(seen.Obstacle.Reason, seen.Obstacle.Message)
		if d.Reason == v1alpha1.ReasonEngineUnavailable || d.Reason == v1alpha1.ReasonNodeUnreachable {
			d.After = seen.Now.Add(blind)
		}

		return d, true
	case seen.Other:
		return wait(v1alpha1.ReasonSnapshotting, "Another snapshot of the Volume is being made; this one comes afterwards"), true
	}

	return Decision{}, false
}

// failForGood puts on record that it is never tried again, when nothing is left of an attempt.
func failForGood(s *v1alpha1.VolumeSnapshot, reason, message string) Decision {
	return record(s, func(next *v1alpha1.VolumeSnapshotStatus) {
		next.Attempt, next.LastFailure = nil, &v1alpha1.SnapshotFailure{Reason: reason, Message: message, Final: true}
	})
}

// retrying waits for the time of the next try.
func retrying(f *v1alpha1.SnapshotFailure, at time.Time) Decision {
	d := wait(v1alpha1.ReasonSnapshotting, "It is tried again")
	if f != nil {
		d = wait(f.Reason, "It is tried again: "+f.Message)
		d.Wrong = true
	}
	d.After = at

	return d
}

// due is true when what comes next may begin. A clock that was put back must not hold it up for longer than the longest pause.
func due(a *v1alpha1.SnapshotAttempt, now time.Time) bool {
	return a.NotBefore == nil || !now.Before(a.NotBefore.Time) || a.NotBefore.Sub(now) > longestPause
}

// pause after so many failed attempts. Beyond the sixth the shift would say the same, and beyond the thirtieth nothing.
func pause(failures int32, now time.Time) *metav1.Time {
	if failures <= 0 {
		return nil
	}

	return later(now, firstPause<<min(failures-1, 5))
}

// undoPause after so many tries to undo: something may be frozen, so that the first come soon.
func undoPause(failures int32, now time.Time) *metav1.Time {
	return later(now, firstUndoPause<<min(2*(failures-1), 8))
}

func later(now time.Time, pause time.Duration) *metav1.Time {
	return &metav1.Time{Time: now.Add(min(pause, longestPause)).UTC().Truncate(time.Second)}
}
