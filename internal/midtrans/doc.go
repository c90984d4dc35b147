// Package midtrans takes payments through Midtrans: it implements payment.Gateway.
//
//	CreateCheckout ─┐                       ┌─ breaker, bound, deadline
//	Status ─────────┤► midtrans-go ─► exchange ─► HTTP ─► classify ─► payment.Answer, or payment.Error
//	Refund …  ──────┘   (a client per call)
//
// Midtrans' own Go module knows paths and request bodies. What it does not do well is done here instead, by giving each
// call a client of its own with an HttpClient of ours (exchange): it drops contexts, prints the Authorization header in its
// default logger, shares options between goroutines, reads answers without a bound, takes the body null for a success
// and a status field of another type for a failure, and returns typed nils.
//
// What holds everywhere in it:
//
//   - None of the module's globals is used, nor its default client or logger.
//   - No answer is ever taken for an answer: what is not documented JSON about the very order that was asked for is
//     payment.ErrUnknownOutcome.
//   - Nothing is retried here, and nothing is followed: a redirect would carry the server key elsewhere.
//   - The server key leaves it in the Authorization header alone. Errors are made of closed lists; what Midtrans says in
//     words goes to the log only, without anything that looks like a key or a card.
//   - Everything is bounded: time, answers, calls at once, and calls while Midtrans is down.
//
// It is called by the controllers of TopUps and Refunds through the interface, and must not import controllers. Package
// webhook below it receives notifications.
package midtrans
