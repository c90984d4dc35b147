// Package releasedvolume looks after data that belongs to no Volume: what was retained, and what a node that was away kept of
// what was deleted meanwhile. It puts on record what nodes have and nobody owns, takes the record back when the data is
// adopted or gone, and removes the data when somebody deletes the record.
//
// Invariant: data is removed only for a ReleasedVolume that somebody has deleted, and never while a Volume has its name.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package releasedvolume
