// Package payment is what Dogker and a payment gateway say to each other, and what Dogker makes of it. It is pure: no
// client, no clock, no randomness; controllers decide with it, internal/midtrans carries it out, and the fake gateway is
// held to it.
//
//	TopUp ──► CheckoutRequest ──► Gateway ──► page where people pay
//	                                 │
//	notification ──► hint ──► Status │ ──► Judge ──► Decision ──► ledger
//
// What holds everywhere in it:
//
//   - A notification is a hint; a Status that was asked for is the fact. Nothing in a Notification moves money.
//   - Decide is total: every status, every fraud status, known or not, has exactly one decision, and what is not known
//     is for a person to look at (Quarantine), never a guess.
//   - Money is whole rupiah in an IDR and is parsed by one grammar. What does not parse is not rounded, it is refused.
//   - What is sent twice is the same: order IDs, idempotency keys and refund keys are functions of what they are
//     for.
//   - A ServerKey prints as [redacted], however it is printed.
//
// The words are those of Midtrans' API as of 2026, where they differ between its documents both are taken.
//
// It is called by the controllers of TopUps and Refunds, by internal/midtrans and by internal/fake/midtrans. It must not
// import controllers, adapters, or anything that does I/O.
package payment
