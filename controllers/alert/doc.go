// Package alert watches what Alerts are about, and puts on record and into the outbox what people are told: it is the control
// loop of the kind Alert. What is decided is decided in reconciler/alert.
//
//	notices on record ──► outbox ──► observe ──► step ──► plan ──► status ──► rest
//	                                    ▲                                     │
//	                                    └── 15 s, a condition, a timer ◄──────┘
//
// What holds everywhere in it:
//
//   - A notice is on record before it is put into the outbox, and put before the status says that it was told. A pass that dies
//     in between is repeated, and puts the same again.
//   - What cannot be observed changes no state: a Prometheus that does not answer, a container that was not measured, an engine
//     that is not seen.
//   - An Alert sees its own namespace. Those of the platform's namespace may see all.
//   - At rest nothing is written: values that change are looked at, and only states are kept.
//
// A second loop, the Keeper, gives each tenant the Alert that its containers are down.
//
// It imports api and reconciler. It must not import adapters: they meet in cmd/dogker.
package alert
