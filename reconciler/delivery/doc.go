// Package delivery is what the controller that owns syncs and whoever carries them out say to each other: what a namespace is
// to be, what differs, what was done about it, and why something could not be. It is pure.
//
//	Request ──► plan ──► Changes: what would be done, or was
//	                └──► Errors: what the API refuses, with the file and the line that it comes from
//
// What holds everywhere in it:
//
//   - A Change and an Error can be shown to whoever may read the GitSync: they hold no value of a Secret and none of a
//     variable.
//   - Texts hold no times and no counters that move by themselves, so that they can end in conditions.
//
// What a repository is built to is package source's; which objects go is package inventory's. It is called by
// controllers/gitsync and by internal/gitops/apply. It must not import either, nor a client.
package delivery
