// Package billing says what holds for a tenant: by which prices it is billed, under which rules, and what follows when its
// money moves. Where solvency knows what a balance means and book what an operation does to it, this package knows the
// objects that people write, and puts the two together.
//
//	Tenant ─► Plan ─► PriceList ─► its successors      spec.replaces, from an hour on
//	   │        └──── spec.billing                     grace, overdraft, runway, storage
//	   ├─► BillingAccount ─── warnings, budget, hold
//	   └─► TenantContainers ─ requests × replicas
//	              │
//	   Desk.Terms ▼
//	            Terms ──► Decide    for every book.Request of the tenant: phase, state and notices, in its transaction
//	                  ──► Floor     how far a settlement may take paid money down
//	                  ──► Standing  what is shown, and what admission asks
//
// A Desk reads; all the rest is pure: the same objects, head and time give the same answer.
//
// What a decision has to remember lies in the head's State, with a version of its own. A state that a newer version wrote is
// left as it is, and so is the phase: who does not understand it decides nothing.
//
// Invariants: what is billed is what Swarm sets aside, requests and not use; the rate is never rounded below what it is; a
// chain of price lists has one end, whatever cycles and forks people write; a notice has the same ID whoever makes it.
//
// Callers: controllers, for their requests to the ledger and for what they show; admission; internal/ledger, which prices
// by it. It imports api, book, money, solvency and the reader of controller-runtime, and calls nothing else.
package billing
