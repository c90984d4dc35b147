// Package collector removes from Swarm what no API object owns any more.
//
// Containers clean up after themselves when they are deleted; what is collected here was left behind: a finalizer that
// somebody tore off, a process that died between two writes, the content of a Secret that has moved on.
//
// Volumes of engines it does not look at: data without an owner is released, not left behind, and is removed by people only.
//
// Invariants:
//   - An object without our labels is never touched.
//   - Nothing is removed on the ground of a cache: the owner is asked for at the API server, right before.
//   - Nothing is removed at first sight: it must have been seen unowned for a while.
//   - When a large part of all services looks unowned, it is not they that are wrong. A store restored from an old
//     backup looks like that. Then nothing is removed, and an operator is told.
package collector
