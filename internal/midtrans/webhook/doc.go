// Package webhook receives Midtrans' notifications. A notification is a hint: it is checked, kept, and a reason to ask for
// the status of its order; it never moves money, because its signature does not cover what it says.
//
//	stranger ──► 405, 429, 413, 400 ──► signature ──► 401
//	                                        │
//	                                        ▼ 429
//	                                   Inbox.Put ──► 503, or 200 and a hint
//
// It faces the internet, so what holds everywhere in it:
//
//   - An answer is a number. Nothing tells a stranger whether an order exists, whose it is, or what was wrong.
//   - Whoever cannot sign costs a hash: no store is asked before the signature is right.
//   - Memory, time, connections and work at once are bounded, by numbers that stand in limits.go.
//
// Midtrans repeats what is not answered by 2xx, for hours; so an outage of ours is 503, and a signature that does not match
// is 401 and heals when the key is put right.
//
// It is wired by cmd, on a port of its own, and must not import controllers.
package webhook
