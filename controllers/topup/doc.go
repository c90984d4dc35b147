// Package topup takes payments: it opens a page at the gateway for each TopUp, finds out what became of it, and writes that to
// the tenant's ledger.
//
//	TopUp ─► order ID ─► page ─► hint or time to ask ─► Status ─► payment.Judge ─► ledger ─► status of the TopUp
//	            │                                                     ▲
//	            └── what the ledger has of the order ─────────────────┘
//
// What holds:
//   - The ID of the order is a function of the TopUp's UID, its time of creation and the installation: payment.OrderIDOf. It
//     is in status for people; nothing reads it from there. So there is no moment in which it would have to be stored, nothing
//     that a crash, a deleted status or a restored backup could lose, and nobody can make a TopUp claim somebody else's order.
//   - What was credited and what went back is what the ledger's record of the order says. Status is a mirror of it. From
//     status come only times: when the gateway was asked, and when to ask again. Lost, they cost one more question.
//   - A notification is a hint. It makes the gateway be asked at once; what it says is not read.
//   - The gateway is asked by payment.NextPoll until a day after an order has expired, or 30 days after it was credited. Then
//     it is quiet: no call and no write, unless a hint comes.
//   - What moves money is decided by payment.Judge alone, and done by one operation of the ledger whose key is a function of
//     what happened; whoever repeats it, after a crash or beside another leader, does nothing.
//   - What nobody expects moves nothing. It is shown as the condition NeedsReview, with what the gateway said, until the
//     gateway says something else or the platform has taken note of exactly that (AnnotationReviewed).
//   - A TopUp that is deleted goes when its payment can no longer be made, and a paid one when the payment is settled.
//
// Admission refuses most of what cannot be paid earlier and more politely; this package holds without it.
//
// Callers: cmd. It imports api and reconciler; never an adapter or another controller.
package topup
