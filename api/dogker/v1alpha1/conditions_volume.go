package v1alpha1

// ConditionOverfull of a Volume is True while more is in it than its size, which nothing prevents in its class. It is absent
// otherwise. Negative polarity.
const ConditionOverfull = "Overfull"

// ConditionMoved of a Volume is True while it lives on the node that spec.node names, and nothing of a move there is left to copy.
// It is False with ReasonMoving while it is on its way or waits for what is in the way, and with ReasonMoveFailed when only people
// can help: then its data is where it was, and containers use it there. It is absent without spec.node. Positive polarity.
const ConditionMoved = "Moved"

// ConditionRestored of a Volume is True once the snapshot that spec.restoreFrom names was restored into it. It is False with
// ReasonRestoring while that is being done or waits for what is in the way, and with ReasonRestoreFailed when only people can help:
// then what the Volume had it has. It is Unknown with ReasonRecordLost when it is not known whether that was done; nothing is done
// then. It is absent without spec.restoreFrom. Positive polarity.
const ConditionRestored = "Restored"

// Reasons of Volumes.
const (
	// ReasonBound: it is known where its data is, or will be, and containers can use it.
	ReasonBound = "Bound"
	// ReasonWaitForFirstConsumer: nothing mounts it yet; where it will live is decided by the first container that does.
	ReasonWaitForFirstConsumer = "WaitForFirstConsumer"
	// ReasonNodeDown: the node that it lives on does not answer Swarm. The data is there again when the node is.
	ReasonNodeDown = "NodeDown"
	// ReasonNodeGone: the node that it lives on has left the swarm, and the data with it.
	ReasonNodeGone = "NodeGone"
	// ReasonLost: its data is gone from the node that it lived on. No empty volume is made in its place.
	ReasonLost = "Lost"
	// ReasonNoSuitableNode: no node can have it and run the containers that mount it.
	ReasonNoSuitableNode = "NoSuitableNode"
	// ReasonAmbiguous: data of that name is on several nodes, and which of them counts is not known.
	ReasonAmbiguous = "Ambiguous"
	// ReasonMoving: its data is being moved to another node. While Ready is False nothing may mount it; while Ready is True what mounts
	// it runs, either not stopped yet or on the new node already.
	ReasonMoving = "Moving"
	// ReasonMoved: it lives on the node that spec.node names.
	ReasonMoved = "Moved"
	// ReasonMoveFailed: a move to the node that spec.node names was given up, or cannot begin. Its data is where it was, and Ready
	// stays True.
	ReasonMoveFailed = "MoveFailed"
	// ReasonRestoring: a snapshot is being restored. While Ready is False the Volume has no data yet; while Ready is True what
	// mounts it goes on with what it had.
	ReasonRestoring = "Restoring"
	// ReasonRestored: it has the data of the snapshot that spec.restoreFrom names.
	ReasonRestored = "Restored"
	// ReasonRestoreFailed: a restore was given up, or cannot begin. What the Volume had it has; Ready is False when that is nothing.
	ReasonRestoreFailed = "RestoreFailed"
	// ReasonRecordLost: the status was lost, and with it what had been restored. Nothing is restored over what there is before
	// spec.restoreFrom was removed and set again.
	ReasonRecordLost = "RecordLost"
	// ReasonClassNotFound: its class is not there.
	ReasonClassNotFound = "ClassNotFound"
	// ReasonReleasedNotFound: the data that spec.adopt names is on no node.
	ReasonReleasedNotFound = "ReleasedNotFound"
	// ReasonAlreadyAdopted: the data that spec.adopt names belongs to another Volume.
	ReasonAlreadyAdopted = "AlreadyAdopted"
	// ReasonNodeUnreachable: what has to be done on its node cannot be done, because its engine does not answer.
	ReasonNodeUnreachable = "NodeUnreachable"
	// ReasonReleased: the data belongs to no Volume, and is kept.
	ReasonReleased = "Released"
	// ReasonOverfull: more is in it than its size.
	ReasonOverfull = "Overfull"
)

// Reasons of VolumeSnapshots and their classes.
const (
	// ReasonSnapshotting: it is being made.
	ReasonSnapshotting = "Snapshotting"
	// ReasonSnapshotReady: it was made, and read back from where it is kept.
	ReasonSnapshotReady = "SnapshotReady"
	// ReasonSnapshotFailed: it could not be made, and is not tried again.
	ReasonSnapshotFailed = "SnapshotFailed"
	// ReasonHookFailed: a hook has failed.
	ReasonHookFailed = "HookFailed"
	// ReasonThawing: what was done before reading could not be undone yet: the post hook, or going on of frozen containers.
	ReasonThawing = "Thawing"
	// ReasonArchiveRefused: what is in the place is not what was stored: it is cut, changed, or of another key.
	ReasonArchiveRefused = "ArchiveRefused"
	// ReasonStoreUnavailable: the place where snapshots are kept does not answer, or denies it.
	ReasonStoreUnavailable = "StoreUnavailable"
	// ReasonStoreReady: the place can be used.
	ReasonStoreReady = "StoreReady"
	// ReasonKeyInvalid: the Secret of the key does not hold one.
	ReasonKeyInvalid = "KeyInvalid"
)

// Reasons for which ticks of spec.snapshots.schedule are missed, beside those of jobs.
const (
	// MissedInProgress: the snapshot of an earlier tick was still being made.
	MissedInProgress = "InProgress"
	// MissedRefused: the VolumeSnapshot could not be made, such as for the quota of the tenant.
	MissedRefused = "Refused"
)

// ReasonMissedSnapshot: ticks have no snapshot; the message says why.
const ReasonMissedSnapshot = "MissedSnapshot"
