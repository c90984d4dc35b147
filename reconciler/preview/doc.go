// Package preview decides which references of a repository have a preview. It is pure: what the server says, what there is,
// the time and the limits are arguments.
//
//	references ─► Selector ─► matching ─┐
//	previews that there are ────────────┼─► Decide ─► keep, drop, make, wait
//	time, TTL, room ────────────────────┘
//
// What holds everywhere in it:
//
//   - The name of a preview is a function of its reference, whatever other references there are: the same after a restart, and
//     the same for everybody who asks. Whoever names branches can choose nothing but lower-case letters, digits and hyphens in it.
//   - A preview is kept for as long as its reference is there and its time is not over. Others wait for room; none is dropped to
//     make room for another one.
//   - Nothing is gone because a server could not be asked, or because its list was too long.
//   - What was given up after its time comes back with another commit, and not before.
//   - Nothing but time and references changes a decision: asked again, it decides the same.
//
// It is called by controllers/gitpreview. It must not import controllers, adapters or a client.
package preview
