// Package volumerestore decides how a volume gets the data of a snapshot: write all of it into a new volume, and only then have that
// one count. It is pure: what is on record, what is wished and what is seen go in, one decision comes out.
//
//	             begin          written and read back
//	(no restore) ─────► Writing ─────────────────────► Done: the new name counts, the old one is superseded
//	     ▲              ▲  │ failed: next try
//	     │              └──┤
//	     │                 ▼ wish changed, or failed for good, or too often
//	     └──────────── Abandoning
//	  new one discarded
//
// As in volumemove a Decision either changes what is on record, or does one thing; never both. Who comes after a kill finds out from the
// record and from what is there what to do next.
//
// Invariants:
//
//   - What the Volume has is touched by nothing here. Which volume counts changes in one write, after the new one was read back.
//   - The new volume has a name that no other wish has, and is not begun while something of that name is there: it may be what a
//     record that was lost knew as the data.
//   - Every try has a number that is on record before it begins. What a try has made carries it, and only tries that are on record as
//     over are discarded.
//   - Nothing stops for it: containers go on with what the Volume has, and a node or a store that does not answer is waited for.
//   - A snapshot is restored once for each time that it is wished. What was given up is not tried again unasked.
//
// Callers: the controller of Volumes. It imports nothing.
package volumerestore
