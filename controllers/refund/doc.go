// Package refund gives payments back: it sets the amount aside in the ledger, asks the gateway to pay it back, and writes down
// what became of that.
//
//	Refund ─► RefundHold ─► gateway, with the Refund's UID as key ─┬► listed by Status ─► RefundPost
//	             │                                                  ├► refused, not listed ─► RefundVoid
//	             └ Manual ─► RefundPost with the evidence           └► anything else ─► the hold stays, ask again
//
// What holds:
//   - The amount is set aside before the gateway hears of it, out of paid money that was not used. So it cannot be spent
//     meanwhile, and nothing is given back that is not there.
//   - A hold is resolved once, one way: the ledger has one hold for a key, and whoever posts or voids it takes it away.
//   - Status, which was asked for, is the fact. A refund is posted when the gateway lists its key with the amount, however
//     the call that asked for it has ended, and voided when the gateway has refused and lists none. Doubt keeps the hold.
//   - Where the way it was paid has no way back nothing is held; the Refund says what to do. The same is true of a part of a
//     payment that is not settled: until it is, all of it can be voided and nothing else.
//   - How far a Refund is, is what the ledger says of its key. Status is a mirror; only of one whose TopUp is gone, or is another
//     one of its name by now, it is believed that it is over.
//   - What the gateway has accepted is not sent again. Of what is not listed days later a person finds out.
//   - A Refund that is deleted goes when it holds nothing. Deleting does not undo it.
//
// Refunds that are made at the gateway past us are found by package topup.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package refund
