// Package midtrans is a Midtrans that lives in memory: Snap's pages, the core API, a state machine for each payment,
// signed notifications that are repeated as Midtrans repeats them, and failures that no real one produces on demand. It
// drives the tests of everything that takes payments, and by hand (dogker fake midtrans) lets the whole cycle be tried on a
// laptop, with a page to press "pay" on.
//
//	POST /snap/v1/transactions ──► order ──► page /snap/v2/vtweb/TOKEN
//	                                 │          │ pay, deny, expire …
//	GET  /v2/ID/status ◄── payment ◄─┴──────────┘
//	POST /v2/ID/{cancel,expire,approve,deny,refund,refund/online/direct}
//	                         │
//	                         └──► notification ──► NotifyURL, again after 2, 10, 30, 90 and 210 minutes
//
// What it copies most carefully is what integrations stumble over: a status is 404 until the payer has chosen a method; an
// order has one payment after another; a page that expires tells nobody; idempotency keys replay whatever the body; a
// refund key is one refund; amounts come back as text with two zeros; a fee raises the gross amount; refunds are refused
// for methods that have no way back; signatures do not cover the status.
//
// It is no model of banks, fraud or fees: those are decided by who calls Choose, Settle, Challenge, Reverse, Chargeback and
// so on, in a test or on the page. Money never moves.
//
// The clock is the standard library's: inside a synctest bubble it is fake. Goroutines run for notifications on their way
// only; Close ends them.
package midtrans
