// Package notice tells tenants what became of their money: it takes notices out of the outbox of the ledger, where each was
// put in the transaction that is the reason for it, and delivers them.
//
//	ledger ──outbox──► Deliverer ──► an Event on the BillingAccount
//	                       │
//	                       └───────► POST, signed ──► 2xx: out of the outbox
//	                                                  else: later, with growing pauses
//
// What holds:
//
//   - A notice is delivered at least once, and has the same id each time.
//   - An endpoint that is down, slow or wrong keeps nothing else waiting: neither charging nor Events. One that is down is
//     asked again after growing pauses, for all notices together; a notice that it refuses waits alone.
//   - Everything is bounded: time, answers, what is in memory, and for how long a notice is tried.
//   - It follows no redirect, and nothing that an endpoint answers is repeated to anybody but the operator's log.
//
// It runs on the server that leads, and is wired by cmd. It must not import controllers.
package notice
