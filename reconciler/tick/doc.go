// Package tick decides the ticks of a schedule: each at most once, whatever clocks show. It is pure: the time is an argument.
//
//	JobClock on record ── Decide(now) ──► Decision: ticks that are missed, at most one that is due
//	                                          └── Settle: whether that one was obeyed
//
// What holds:
//
//   - The latest tick that is over may be obeyed, however late somebody looks; those before it are missed, and counted.
//   - A tick that may have been obeyed is not due again when the clock is put back: the clock on record has the times whose ticks were
//     decided as they came. What was only missed because the clock had been put forward may be due again.
//   - Ticks of another schedule count from when it is seen; those of the one before, by the record, are missed.
//   - Ticks in a time in which nothing is to begin are missed, and known to be when that ends.
//   - At rest the clock on record does not change.
//
// Only what is written with the version that was read decides a tick: of two who decide about it one writes.
//
// It is called by reconciler/jobrun and reconciler/snapshotplan. It imports the API's types and reconciler/cron.
package tick
