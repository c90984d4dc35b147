// Package ledger stores the books of all tenants in etcd. Package book decides what an operation does to a balance; this
// package makes sure that it is done exactly once, whoever asks, however often, and whatever becomes of the answers.
//
//	Do(tenant, op) ──► remembered or read: head, record, order ──► book.Apply ──► one transaction:
//
//	   if    the head is the one that was read           nobody else has written to this tenant
//	         entry seq+1 and its key are not there       a damaged head destroys nothing
//	         the term is ours                            operations of the leader: no other has been elected since
//	   then  put entry, key, head, record, order, notices
//	   else  look why: done before? outrun? fenced?
//
// There is one small transaction for each operation of a tenant and no key that two tenants write, but for coupons. A
// transaction whose answer is lost may have been done; it is worked out again, and its key, or for a Charge the cursor in
// the head, tells. Nothing is refused on the ground of what is only remembered.
//
// What lies where, below /dogker/ledger/ and so out of reach of every request to the API:
//
//	head/<tenant>                  balance, lots, holds, cursor, phase; written with every operation
//	entry/<tenant>/<seq>           entries with their hash chain; written once
//	idem/<tenant>/<key>            which entry an idempotency key belongs to, and the hash of what was asked for
//	order/<tenant>/<order>         what was credited for a payment, and what of it went back
//	usage/<tenant>/<hour>/<part>   records of use; written every window until a Usage entry has their hash
//	meter/<tenant>                 what metering keeps with the cursor
//	checkpoint/<tenant>            stands for what was archived and pruned
//	outbox/<tenant>/<id>           notices that are not delivered
//	inbox/<order>/<digest>         what the payment gateway has notified us of, for some months
//	coupon/<id>                    how often a coupon was redeemed
//	term                           who leads; its revision is the term
//
// Heads lie together, so that closing a window reads all of them at once. A payment takes about 1,000 bytes that stay, an
// hour of use of one workload with two meters about 1,300, of ten about 4,500; workloads are named by kind, name and UID. With
// a payment a week and use settled every hour that is 1.0 MB for a tenant's month of one workload, 1.5 of three, 3.3 of ten.
// BenchmarkTenantMonth measures it. Archive therefore writes closed months to files and prunes them.
//
// Invariants: entries are numbered without gaps and never change; a key has one entry; replaying the entries gives the head;
// a window is charged once; the cursor never goes back. Verify holds all that is stored against them. A tenant whose
// records are broken, or newer than this program, is not written to, and nothing is repaired by itself.
//
// Metering is how package metering stores what it keeps: with it use is priced and charged, in the same transaction. What a
// tenant pays in an hour Tariffs finds at a billing desk; who pays nothing leaves a cursor and nothing else.
//
// Callers: cmd wires it to the controllers that meter, charge, credit and notify; the command line verifies, shows and
// exports. It must not import controllers.
package ledger
