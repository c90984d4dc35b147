// Package receiver is told by Git servers that something was pushed. What it is told is a hint to look at the repository and
// nothing more: of the body it believes not a byte, and reads it only because the signature covers it.
//
//	stranger ──► 405, 404, 429, 413, 503
//	                     │
//	                     ▼
//	          path ──► GitSync ──► token ──► signature ──► 404
//	                                             │
//	                                             ▼
//	            200 ◄── Hints ──► annotation reconcile.fluxcd.io/requestedAt, at most once in two seconds
//
// It faces the internet, so what holds everywhere in it:
//
//   - An answer is a number. A path that leads nowhere and a signature that is wrong are one answer, after the same work:
//     nothing tells a stranger whether a GitSync exists.
//   - A path is found by status.webhookPath, and believed only when it is what the Secret's token leads to now.
//   - Memory, time and work at once are bounded, by numbers that stand in limits.go; a body is never in memory as a whole.
//   - A replay is a hint like the first one was. Hints in quick succession become one; the last is never lost to the others.
//   - It works on every server, whoever leads: the hint is in the API, where the leader sees it.
//
// It is wired by cmd, in front of all that asks who somebody is, and must not import controllers.
package receiver
