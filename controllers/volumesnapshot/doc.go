// Package volumesnapshot has VolumeSnapshots made, and takes them down. What follows from what is on record and what is seen is decided by
// reconciler/snapshotrun; here it is collected, put on record, ordered and told.
//
// It neither reads volumes nor archives: it orders that, and is woken when it is done. Nothing that it orders is waited for.
//
// Invariants: one worker, so that of several snapshots of one Volume only one is begun; a snapshot does not lose its finalizer while
// something of it is frozen, or while a Volume is being restored from it; an archive that another snapshot has, too, stays.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package volumesnapshot
