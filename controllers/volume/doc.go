// Package volume looks after Volumes: it chooses the node of one when a container mounts it first, says where its data is and
// how that node does, who mounts it and how much is in it, and takes it down: it waits while something mounts it, and then
// obeys its reclaim policy.
//
// It makes no data: the engine does, when the first task starts. Moves and restores it decides about, and orders them from who does them
// beside it: what is decided is on record before it is done. What nodes have it reads from memory; calls to engines are made to be sure
// that data is lost, where something is under way, and to remove data.
//
// Invariants: one worker, because a node is chosen by what was chosen before; a Volume never loses its finalizer while
// something mounts it; data that belongs to another Volume is not touched, whatever spec.adopt says; one move or restore at a time.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package volume
