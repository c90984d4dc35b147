// Package set is what `dogker apply` and `dogker diff` do: files become the objects of a namespace under a name, as a GitSync
// makes them of a repository, but once, by whoever runs the command and with their own rights.
//
//	files ─► package local ─► Plan (writes nothing) ─► record ─► apply ─► wait ─► prune ─► record
//
// What holds in it:
//
//   - Everything that package apply promises: all is accepted in a dry-run before the first write, nothing is written that does
//     not differ, only what is on record is pruned, and losing everything is taken for an accident.
//   - The record is the ConfigMap dogker-set-NAME in the namespace. It is written before the objects are, at the version that
//     was read: of two who apply the same set at once one is told so before writing anything.
//   - Without pruning nothing is forgotten: what was left behind goes when somebody prunes.
//   - A run that changes nothing writes nothing, the record included.
//
// The record is not an ApplySet, which is kubectl's own. Its specification has every tool keep off the sets of others, so that
// kubectl could not prune these either, and there what carries a label is what is pruned; here labels alone prune nothing.
//
// It is called by commands. It must not import controllers or the control plane.
package set
