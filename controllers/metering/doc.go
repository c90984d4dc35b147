// Package metering looks at the swarm every 15 seconds and hands what everybody used to the ledger, a minute at a time.
//
//	tick ──► clock ──► sample ──► Account.Observe ──► Account.Due ──► Store.Commit ──► mark
//	         may I     one look    for each tenant     windows that    record and       the sample
//	         believe   at all                          are final       charge in one    is taken in
//	         it?       tasks                                           transaction
//
// What may be concluded from what was seen is in package usage, which is pure; prices and money are the ledger's. This
// package decides whether a sample may be taken in at all, and in which order things are written.
//
// Whether: an engine that does not answer gives no sample, and neither does a clock that cannot be believed. Both are as if
// nobody had looked: windows stay open, and the next sample shows what went on running. After a jump of the clock nothing
// is taken in until the managers have agreed with it for two minutes, and what the jump left out is not charged, because it
// did not pass. A clock that was set back is waited for.
//
// Order: memory is never ahead of the store. A tenant's account moves on in memory once its record is written, and the mark
// says for everybody whose record did not change that the sample was taken in. So a process may end between any two writes,
// and the next one does what it would have done had it missed the sample. Whoever does not lead any more is refused by the
// store, and stops.
//
// One tenant's trouble is his own: a record that cannot be read or written is left as it is, others are metered, and the
// tenant is caught up with once it can.
//
// It must not import adapters. Callers: cmd wires it; nobody else.
package metering
