// Package snapshotplan decides which snapshots of a Volume are made by schedule, and which of those are removed. It is pure: the time
// and what there is are arguments.
//
//	tick ──record──► pending ──VolumeSnapshot is there──► (not pending)
//	  │                 └── next tick comes first ──► missed
//	  └──► missed
//
// What holds:
//
//   - First the record, then the deed. The status is written with the version that was read, so of two who decide about a tick one
//     writes. What is pending is made only while the store, and not a cache, says that it is, under a name that follows from the tick.
//   - So a tick has one snapshot at most. What is left is a process that stands still between reading the store and making the
//     object, while another makes it and somebody removes it.
//   - The latest tick that is over is made up for, once; earlier ones are counted as missed. So is a tick that comes while the
//     snapshot of one before is still being made. Before a Volume has data there are no ticks.
//   - Only what was made by schedule for this very Volume is removed, and never the newest good one, nor one that a Volume names in
//     spec.restoreFrom, nor anything while spec.snapshots.suspend is true or there is no schedule.
//   - Nothing is removed by what a cache says: Expired is asked again with what the store has.
//   - At rest nothing is written.
//
// It is called by controllers/volume. It imports the API's types, reconciler/tick, reconciler/cron, reconciler/retention and
// reconciler/snapshotrun.
package snapshotplan
