// Package logship sends what tenants' containers write to a store of logs that speaks as Loki or as Elasticsearch does: each line
// once at least, in the order of its task.
//
//	engines ──► follower of a task ──► lane of its tenant ──► store
//	               ▲    waits while      batches, one at          │
//	               │    its tenant is    a time                   │
//	               │    over its share                            │
//	               └──────────── cursor in etcd ◄──── accepted ───┘
//
// Only the leader ships. Any server reaches the engine of every node, so that a share for each would spread nothing but the
// work of packing lines, and would have to be divided anew with everyone that comes or goes: two that follow the same task
// send everything twice. Whoever takes over goes on at the cursors.
//
// What holds:
//   - A cursor says what the store has accepted, never what was read. Whoever writes an old one over a newer one, a leader that
//     does not know yet that it was replaced, has lines sent again and loses none; so cursors are simply put.
//   - What is sent and not in a cursor is at most one batch of a task: before more is sent, the cursor is written. Otherwise
//     that happens every five seconds, and when a task has ended.
//   - A document has an ID by what it is of, and Loki leaves out what it has with that time; so what is sent again shows once.
//   - Lines that wait are held within a limit for each tenant and within one for all. Who is over it is not read from, and the
//     engine keeps the log; other tenants have lanes of their own.
//   - A store that cannot be reached, or that does not know us, is left alone for growing pauses, and nothing is lost as
//     long as engines keep their logs. Only what it refuses by itself is dropped, and counted.
//   - What a line says is in no error, log, metric, nor cursor, and neither are credentials. What a store answers may quote a
//     line; so only its code is told.
//
// Callers: cmd/dogker. It imports internal/fleet for its interface, and must not import controllers.
package logship
