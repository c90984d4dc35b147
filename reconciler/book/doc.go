// Package book keeps the books of a tenant on paper: what an operation does to a balance, and which entries say so. It
// reads no clock, calls nobody and stores nothing; internal/ledger stores what it decides.
//
//	State ──┐
//	Op    ──┼─► Apply ─► Outcome: State', sealed Entries, Records, Notices
//	Decide ─┘
//
//	stored entries ─► Replay ─► Head: the same as the stored one, or the ledger is broken
//
// Money is in accounts, and every entry moves it between them: its postings add up to zero. The accounts of a tenant are
//
//	tenant:paid          what was paid in and not used; below zero it is a debt
//	tenant:promo:<lot>   what was given, one account for each gift
//	tenant:held:<id>     what is on its way back to the payer
//
// so that balance = paid + promo + held is the sum of the amounts of all entries, and
//
//	available = paid + promo − accrued
//
// is what can be used: held money has left paid already, and what was used since the last Usage entry is spoken for.
//
// Use is charged window by window. A Charge prices it, remembers what the divisions leave over, and moves the cursor
// chargedThrough; only a settlement, at the end of an hour as a rule, writes a Usage entry and draws lots and then paid
// money, down to a floor. What is below the floor is waived, and a Waiver says how much: charged + waived = metered. Use of two
// settlements is never in one entry, so a month is complete when its last settlement is.
//
// What follows from an operation is decided with it. A decision that stops an account settles what was used until then; from
// the next window on compute is free, until a decision lets it run again. Head.Free says which windows that are, and a
// Charge that has not heard of it is refused.
//
// A lot whose time is over is taken by Expire, once everything it could have paid for has been charged, or by Lapse, when
// nothing moves the cursor there because nothing is used any more.
//
// Entries are chained: each has the hash of the one before, and its own hash covers all of its fields, with its number and
// its tenant. Entries are read in one spelling only, so every changed byte is found. An entry of an unknown type or with an
// unknown field ends reading with ErrNewer, and so does a head.
//
// Invariants, which Apply asserts, refusing with ErrBroken, and tests hold against a model: postings of an entry add up to
// zero; amounts add up to the balance; the cursor never goes back; no lot, no hold and nothing of an order falls below
// zero; a draw equals its entry; only a Reversal, a Chargeback, a GatewayRefund or an Adjustment takes paid money below
// the floor of a Charge.
//
// Callers: internal/ledger, and controllers for the types of what they ask of it. It imports reconciler/money alone.
package book
