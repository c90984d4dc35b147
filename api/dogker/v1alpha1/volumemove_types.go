package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VolumeMove is a move of data to another node. It is a record of what was decided; who goes on with it reads it from here.
type VolumeMove struct {
	// Generation of the spec that it obeys.
	Generation int64 `json:"generation"`
	// From and To are the nodes.
	From VolumeNode `json:"from"`
	// To is the node that it moves to.
	To VolumeNode `json:"to"`
	// Phase is how far it is. While Stopping, Copying and Verifying, nothing may mount the Volume. GivenUp is the end of one that has
	// failed; it is not tried again before spec.node has been another one, or was removed.
	Phase MovePhase `json:"phase"`
	// Source is what had made the data at from, when that was an operation of Dogker.
	// +optional
	Source string `json:"source,omitempty"`
	// Try is the number of the present try to copy, from 1.
	// +optional
	Try int32 `json:"try,omitempty"`
	// Failures is how many tries have failed.
	// +optional
	Failures int32 `json:"failures,omitempty"`
	// NotBefore is when the next try may begin.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
	// Digest of what was copied, as Dogker computes it over all names, owners, modes, times and bytes.
	// +optional
	Digest string `json:"digest,omitempty"`
	// Message is why it has failed last, or was given up.
	// +optional
	Message string `json:"message,omitempty"`
}

// MovePhase is how far a move is.
//
// +kubebuilder:validation:Enum=Stopping;Copying;Verifying;Moved;Abandoning;GivenUp;Kept
type MovePhase string

// The phases, in their order; the last three are other ends.
const (
	MoveStopping  MovePhase = "Stopping"
	MoveCopying   MovePhase = "Copying"
	MoveVerifying MovePhase = "Verifying"
	// MoveMoved: the Volume lives at its target; what is left at the source is being removed.
	MoveMoved MovePhase = "Moved"
	// MoveAbandoning: what was made at the target is being removed.
	MoveAbandoning MovePhase = "Abandoning"
	MoveGivenUp    MovePhase = "GivenUp"
	// MoveKept: it has moved, and what was left at the source had changed meanwhile, so that it was kept there.
	MoveKept MovePhase = "Kept"
)

// VolumeRestore is a restore of a snapshot. It is a record of what was decided; who goes on with it reads it from here.
type VolumeRestore struct {
	// Generation of the spec that it obeys.
	Generation int64 `json:"generation"`
	// Snapshot is the name of the VolumeSnapshot, and SnapshotUID its UID.
	Snapshot ObjectName `json:"snapshot"`
	// SnapshotUID is the UID of the VolumeSnapshot.
	SnapshotUID string `json:"snapshotUID"`
	// Node that it is restored on.
	Node VolumeNode `json:"node"`
	// VolumeName is what engines call the volume that is filled.
	VolumeName string `json:"volumeName"`
	// Phase is how far it is.
	Phase RestorePhase `json:"phase"`
	// Try is the number of the present try, from 1.
	// +optional
	Try int32 `json:"try,omitempty"`
	// Failures is how many tries have failed.
	// +optional
	Failures int32 `json:"failures,omitempty"`
	// NotBefore is when the next try may begin.
	// +optional
	NotBefore *metav1.Time `json:"notBefore,omitempty"`
	// Message is why it has failed last, or was given up.
	// +optional
	Message string `json:"message,omitempty"`
}

// RestorePhase is how far a restore is.
//
// +kubebuilder:validation:Enum=Writing;Abandoning;GivenUp
type RestorePhase string

// The phases.
const (
	// RestoreWriting: what is in the snapshot is being verified, written, and read back. Whatever the Volume has is untouched.
	RestoreWriting RestorePhase = "Writing"
	// RestoreAbandoning: what was written is being removed.
	RestoreAbandoning RestorePhase = "Abandoning"
	// RestoreGivenUp: it has failed for good, or too often. It is not tried again before spec.restoreFrom has named another snapshot, or
	// none.
	RestoreGivenUp RestorePhase = "GivenUp"
)

// VolumeRestored is a snapshot that was restored.
type VolumeRestored struct {
	// Snapshot is the name of the VolumeSnapshot. It is absent when this record was lost and spec.restoreFrom named none.
	// +optional
	Snapshot ObjectName `json:"snapshot,omitempty"`
	// SnapshotUID is its UID. It is absent when this record was lost: then the data is what was found, and whether it has come from
	// that snapshot is not known.
	// +optional
	SnapshotUID string `json:"snapshotUID,omitempty"`
	// At is when it was done, or found.
	At metav1.Time `json:"at"`
	// Removed is true once spec.restoreFrom has named no snapshot since. Then the same snapshot is restored again when it is named
	// again.
	// +optional
	Removed bool `json:"removed,omitempty"`
	// VolumeName is what engines call the data since.
	VolumeName string `json:"volumeName"`
}

// SupersededData is data that a Volume had before a restore.
type SupersededData struct {
	// VolumeName is what its engine calls it.
	VolumeName string `json:"volumeName"`
	// Node is the ID of the node that it is on.
	Node string `json:"node"`
}

// VolumeSnapshotsStatus is how snapshots by schedule stand.
type VolumeSnapshotsStatus struct {
	// LastScheduleTime is the last tick for which a snapshot was begun.
	// +optional
	LastScheduleTime *metav1.Time `json:"lastScheduleTime,omitempty"`
	// LastSuccessfulTime is the time that the newest good snapshot is of, scheduled or not.
	// +optional
	LastSuccessfulTime *metav1.Time `json:"lastSuccessfulTime,omitempty"`
	// NextScheduleTime is the next tick; absent while it is suspended, or has none.
	// +optional
	NextScheduleTime *metav1.Time `json:"nextScheduleTime,omitempty"`
	// Missed is how many ticks were missed: no snapshot is of them, and none will be.
	// +optional
	Missed int64 `json:"missed,omitempty"`
	// LastMissed are the last ticks that were missed, with why.
	// +optional
	LastMissed *MissedRuns `json:"lastMissed,omitempty"`
	// Pending is the snapshot that is about to be made; absent otherwise.
	// +optional
	Pending *PendingSnapshot `json:"pending,omitempty"`
	// Clock is which ticks are decided. It is absent before the Volume has data.
	// +optional
	Clock *JobClock `json:"clock,omitempty"`
}

// PendingSnapshot is a VolumeSnapshot that is about to be made by schedule. It is on record before that, so that no tick has two.
type PendingSnapshot struct {
	// Name that it is to have.
	Name ObjectName `json:"name"`
	// ScheduledTime is the tick that it is of.
	ScheduledTime metav1.Time `json:"scheduledTime"`
	// Message is why it could not be made yet.
	// +optional
	Message string `json:"message,omitempty"`
}
