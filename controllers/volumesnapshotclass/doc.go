// Package volumesnapshotclass looks after VolumeSnapshotClasses: it has the key of each made, finds out whether the place where its snapshots
// are kept can be used, counts them, and holds a class that somebody deletes for as long as a snapshot is of it.
//
// A place is asked when a class is seen first or was changed, when a snapshot has failed because of it, and else every ten minutes, or every
// minute while it cannot be used. It is only read.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package volumesnapshotclass
