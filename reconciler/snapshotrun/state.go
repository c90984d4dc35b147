package snapshotrun

import (
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// Made is true when a snapshot was made and verified, and nothing is left to undo.
func Made(s *v1alpha1.VolumeSnapshotStatus) bool { return s.Attempt == nil && stored(s) }

// stored is true when an archive of it was read back.
func stored(s *v1alpha1.VolumeSnapshotStatus) bool { return s.Digest != "" && s.ArchiveSHA256 != "" }

// Failed is true when it was not made, and never will be.
func Failed(s *v1alpha1.VolumeSnapshotStatus) bool {
	return !stored(s) && s.Attempt == nil && s.LastFailure != nil && s.LastFailure.Final
}

// Busy is true while something is done to the Volume that it is of, or is still to be undone.
func Busy(s *v1alpha1.VolumeSnapshotStatus) bool {
	return s.Attempt != nil && s.Attempt.Node != "" && !(s.Attempt.Ended && s.Attempt.Undone)
}

// ArchiveName is what the archive of a snapshot is called, below the folder of its class. It holds the UID, so that whoever finds it there
// knows that it is of this snapshot, and of no other of the same name before or after it.
func ArchiveName(s *v1alpha1.VolumeSnapshot) string {
	if a := s.Spec.Source.Archive; a != nil {
		return a.Name
	}

	return strings.ToLower(fmt.Sprintf("%s/%s/%s.age", s.Namespace, s.Spec.Source.VolumeName, s.UID))
}

// Node is how a node stands.
type Node int

// The ways.
const (
	// NodeUnknown: the swarm cannot be asked.
	NodeUnknown Node = iota
	NodeReady
	NodeDown
	// NodeGone: it has left the swarm for good.
	NodeGone
)

// Seen is what there is.
type Seen struct {
	Now time.Time
	// Process is the one that looks, by a name that no other has.
	Process string
	// Volume of the name that the snapshot has; nil when there is none.
	Volume *v1alpha1.Volume
	// Class of the snapshot; nil when it is not there.
	Class *v1alpha1.VolumeSnapshotClass
	// Source is what would be read now, and Obstacle why nothing can be; nil when it can.
	Source   volumejob.Place
	Obstacle *Obstacle
	// Container whose task hooks run in; empty when nothing mounts the Volume for writing.
	Container string
	// Node says how a node stands.
	Node func(id string) Node
	// Job of this process for the snapshot, running or ended; nil when there is none.
	Job *volumejob.Job
	// Ordered is the last operation that this process has ordered for the snapshot; empty for none.
	Ordered string
	// Other is true while another snapshot of the same Volume is Busy.
	Other bool
	// Restoring is the Volume that is being restored from it; empty when none is. It matters when the snapshot is being deleted.
	Restoring string
	// Shared is true when another VolumeSnapshot is of the same archive. It matters when the snapshot is being deleted.
	Shared bool
}

// Obstacle is why a Volume cannot be read now.
type Obstacle struct {
	// Reason is one of v1alpha1's, and Message a sentence without its end.
	Reason, Message string
}

// Action is what follows.
type Action string

// The actions.
const (
	// Wait until something is seen that is different, or Decision.After.
	Wait Action = "Wait"
	// Record puts Decision.Record on record. It is the only thing that is done.
	Record Action = "Record"
	// Order gives Decision.Order.
	Order Action = "Order"
	// Cancel ends the job of this process, and Dismiss forgets one that has ended.
	Cancel  Action = "Cancel"
	Dismiss Action = "Dismiss"
	// Ready: it was made. Fail: it is not tried again.
	Ready Action = "Ready"
	Fail  Action = "Fail"
	// Finalize: nothing is left to do for a snapshot that is being deleted.
	Finalize Action = "Finalize"
)

// Decision is what follows from what is on record and what is seen.
type Decision struct {
	Do Action
	// Record is the status to put on record; its conditions are those that were passed.
	Record *v1alpha1.VolumeSnapshotStatus
	Order  volumejob.Order
	// Reason and Message of Wait and Fail: a word of v1alpha1's, and a sentence without times and counters. Wrong is true when
	// something went wrong, and people are to be told.
	Reason, Message string
	Wrong           bool
	// After is when to look again although nobody has called; zero for when something changes.
	After time.Time
	// Removed is true when the archive was removed.
	Removed bool
}

func wait(reason, message string) Decision {
	return Decision{Do: Wait, Reason: reason, Message: message}
}

// record is a status in which one thing has changed.
func record(s *v1alpha1.VolumeSnapshot, change func(*v1alpha1.VolumeSnapshotStatus)) Decision {
	next := s.Status.DeepCopy()
	change(next)

	return Decision{Do: Record, Record: next}
}

// needsUndo is true when an attempt may have left something to undo.
func needsUndo(a *v1alpha1.SnapshotAttempt) bool {
	return a.Node != "" && (a.Quiesce == v1alpha1.QuiescePause || a.PostHook != nil)
}

// over is true when nothing of an attempt is left to do.
func over(a *v1alpha1.SnapshotAttempt) bool { return a == nil || a.Ended && a.Undone }
