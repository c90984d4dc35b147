// Package outbox delivers everything that people are told: notices wait in the store until each of those they are for has
// taken them.
//
//	controllers, ledger ──Put──► wait/<tenant>/<id> ──► Deliverer ──► Targets of the Receiver: mail, webhook
//	                                                       │             ├─ taken: on record, for this target
//	                                                       │             ├─ unreachable: all that lead there rest together
//	                                                       │             └─ refused: this one waits alone
//	                                                       └──► all are done: done/<tenant>/<id>, for two weeks
//
// What holds:
//
//   - A notice is delivered at least once to each target, with the same ID each time, and once unless a process dies, or an
//     answer is lost, between the delivery and its record.
//   - Put is idempotent, also after the delivery. It never waits for a delivery. What does not fit any more pushes out what is
//     oldest, of the same tenant, or of the one that has most, and that is counted.
//   - Whatever is down, slow or wrong keeps nobody else waiting: what is unreachable is asked again after growing pauses, by
//     one notice for all; tenants take turns, and none has more than a few deliveries under way.
//   - Everything is bounded: notices for a tenant and in all, their size, deliveries at a time, and how long one is tried.
//   - The store has no address of a webhook and no secret: where a Receiver leads is looked up for each delivery.
//
// What lies where, below /dogker/outbox/ and so out of reach of every request to the API:
//
//	wait/<tenant>/<id>     a notice, and what became of it so far for each target
//	done/<tenant>/<id>     that it was delivered or given up; the store forgets it
//	state/<ns>/<receiver>  how delivery to a Receiver stands; the store forgets it
//
// Put is for every server. The Deliverer runs on the one that leads. The package must not import controllers.
package outbox
