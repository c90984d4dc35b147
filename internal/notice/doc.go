// Package notice puts what people are told into words, and passes on what became of tenants' money.
//
//	ledger ──outbox──► Bridge ──► an Event on the BillingAccount
//	                      │
//	                      └─────► a Notification for each Receiver ──► package outbox, which delivers it
//
//	Notification ──► Say ──► Words ──► packages mail and webhook
//
// What holds of words:
//
//   - Everything is said in every language: a test holds their tables together.
//   - What is not known leaves no hole: the clause about it is left out.
//   - What tenants have written stays one line of text without control characters wherever it is put. Whoever puts words into
//     HTML or into headers escapes them for that.
//
// What holds of the Bridge: a notice leaves the ledger when it is in the outbox for everybody it is for. The IDs are functions
// of what is told to whom, so one that is passed on twice is delivered once.
//
// It runs on the server that leads, and is wired by cmd. It must not import controllers.
package notice
