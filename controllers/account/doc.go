// Package account keeps the BillingAccounts of tenants: it makes them, shows in them how the ledger says that a tenant
// stands, carries out what was decided there, and sees to it that nothing is owed when a tenant goes.
//
//	        ┌ Desk: tenant, plan, prices ┐          grant, coupons, expiry, review ──► ledger
//	account │ Ledger: head               ├─► survey ─► keepBooks ─► carryOut ─► report ──► status
//	        └ Swarm: tasks               ┘                              └─► annotation on the Tenant
//
// What holds:
//   - Nothing is decided here. Whether an account runs is decided in the transactions of the ledger, by billing.Terms.Decide;
//     this package asks for a decision when time or specs may have changed it, and only if a dry run says that they have.
//   - Nothing is decided by a status. All of it can be deleted: the next pass writes it again.
//   - A tenant is stopped by one annotation, and its spec is never changed. It is stopped at once; many tenants that may run
//     again at once do so in turn.
//   - A quiet account causes no write. One that is charged every minute causes at most one a minute, and its Tenant far
//     fewer: what the Tenant shows is within one percent.
//   - An account that somebody deletes is made again for as long as its tenant lives. It goes with its tenant, and the tenant
//     with its namespace only after it, once nothing is owed to anybody or the platform has given the rest up.
//
// Data of a suspended tenant is not touched. Until when it is kept at least is told in status.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package account
