// Package volumemove decides how a volume gets from one node to another: stop, copy, verify, and only then live elsewhere. It is
// pure: what is on record, what is wished and what is seen go in, one decision comes out.
//
//	            begin           nothing runs        copied           all three digests equal
//	(no move) ───────► Stopping ───────────► Copying ──────► Verifying ───────────────────► Moved ──────► (no move)
//	    ▲                  │                  ▲  │ failed: next try │                          source removed
//	    │                  │                  └──┴──────────────────┘
//	    │                  ▼ wish changed, or failed too often     ▼
//	    └─────────────────────────── Abandoning ◄──────────────────┘
//	        target discarded
//
// A Decision either changes what is on record, or does one thing; never both. So everything that is done was on record before,
// and who comes after a kill finds out from the record and from what is there what to do next. Doing is idempotent, and a
// thing that was begun and left no trace is begun again.
//
// Invariants:
//
//   - The source is not touched before the record says Moved, and that says so only after the source was read twice with the
//     same digest, before and after the target was read with it, and nothing ran meanwhile that mounts the volume.
//   - From Moved on, the volume lives at its target, and the source goes only when it still has that digest and the target is
//     there. A source that has changed since is kept, for people to look at.
//   - Containers are held exactly while Stopping, Copying and Verifying; they run where the record says that the volume lives.
//   - Every try has a number that is on record before it begins. What a try has made carries it, and only tries that are on
//     record as over are discarded.
//   - What is not known (a node that does not answer) is neither there nor gone, and nothing follows from it.
//
// Callers: the controller of Volumes. It imports nothing.
package volumemove
