// Package snapshotrun decides how a VolumeSnapshot is made, and how it is taken down. It is pure: what is on record and what is seen
// go in, one decision comes out.
//
//	           begin               saved, and nothing is left to undo
//	(nothing) ───────► attempt ────────────────────────────────────────────► made (never changes again)
//	                   │  ▲  │ failed, or nobody goes on with it                 ▲
//	                   │  │  ▼                              undone, and saved     │
//	                   │  └─ ended: frozen containers, a post hook that was not run
//	                   │  │          are undone until that succeeds
//	                   │  │ next number, after a pause       │ failed for good, or too often
//	                   │  └──────────────────────────────────┴──► failed (never tried again)
//
// A Decision either changes what is on record, or does one thing; never both.
//
// Invariants:
//
//   - An attempt is on record before anything is done for it, with what is to be undone, and with the name of the process that goes on
//     with it. Nothing is done for it but by that one: another process first puts its own name there, and what was being read is
//     over then. So whoever has read an old record fails to write, and does nothing.
//   - After the last pre hook there is a post hook, and after the last freeze a thaw: no attempt begins, and none is over, before
//     what was done for the one before was undone. The exceptions are a node that has left the swarm, and a post hook that fails again and
//     again, which fails the snapshot.
//   - What was made has a receipt of an archive that was read back, and never changes again.
//   - An attempt that a process took along with it counts for no failure.
//
// What it relies on: who does what is ordered does nothing more to containers, and stores nothing more, once its process does not hold the lease
// of the controllers. Then an archive is of one moment when it was to be, whoever stored it, and the next attempt finds it.
//
// Callers: controllers/volumesnapshot, and who has to know how a snapshot stands. It imports api and volumejob.
package snapshotrun
