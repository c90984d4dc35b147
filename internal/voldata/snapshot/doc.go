// Package snapshot takes what is in a volume to a store as an archive, and back.
//
//	Save:     engine ─► archive ─► store, then read back from there and verified
//	Restore:  store ─► verified, wholly ─► store, again ─► a new volume of an engine, read back
//
// What holds:
//
//   - Save returns a receipt only of an archive that was read back from the store and opened.
//   - Restore touches nothing before all of the archive was read and is what it should be. Then it reads it a second time: to
//     keep what it has read would take as much room on the server as the largest volume of any tenant. That the second reading
//     gives the same is checked like everything else, and counts only after the new volume was read back.
//   - It restores into new volumes alone. A Volume that gets an earlier state gets another volume of the engine, so that what it
//     has stays until the new one is whole; the record of which one counts is changed by the caller, last.
//   - Both may be interrupted at any point, and tried again: Save finds what it has stored before; Restore begins anew, with
//     another Operation, once the caller has discarded what the one before has left.
//
// Callers: cmd. It must not import controllers.
package snapshot
