// Package volumejob names long work with what is in volumes: what is asked for, and what has come of it. Controllers order it, and an
// adapter does it beside them, because it takes as long as there is data.
//
//	controller ── Order ──► adapter ── Job, at any time ──► controller
//	                           └── hint, when it has ended ──► controller
//
// What holds:
//
//   - One job at a time for an owner. An order while one runs, or while an ended one is not dismissed, changes nothing.
//   - Jobs live in one process. None is on record: who comes after a kill finds out from what is there, and orders again.
//   - Each order has an operation, which is on record before it is given, and which engines keep as a label of what was made.
//   - What a job has failed with is told in words that hold nothing an engine or a store has said about itself.
//
// Callers: controllers/volume, controllers/volumesnapshot, internal/volumework. It imports nothing but the standard library.
package volumejob
