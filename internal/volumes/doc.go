// Package volumes knows which volumes of ours the nodes have, and removes them there.
//
// Once a minute each node is asked for the list of those that Dogker has made: one call for a node, however many volumes it
// has, and none for a volume. Once an hour it is asked how large they are, which lets its engine read through all of their
// files, one node at a time. What a node has told stays known while it cannot be asked; Told says whether that is so.
//
// Invariants: a list that began before a removal does not bring back what was removed. A node that does not answer is never
// taken for one without volumes.
//
// Callers: cmd. It imports api and reconciler; no controllers.
package volumes
