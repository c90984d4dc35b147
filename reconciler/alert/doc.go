// Package alert decides what people are told about what goes wrong, and when: once for an incident, once when it is over, and
// nothing at all about what somebody has wanted.
//
//	telemetry, conditions ──► observations ──► incidents of series ──► groups ──► Notification ──► Outbox
//	                                             │        ▲              │
//	                                             └── status of Alert ────┘
//
// A series is one thing that an Alert watches: a container, an object, a result of a query. Its state is
//
//	Inactive ──breach──► Pending ──for──► Firing ──quiet for keepFiringFor──► over, and told
//	    ▲                   │               ▲  │
//	    └──────quiet────────┘               └──┘ breach again: the same incident
//
// What holds:
//
//   - Everything that the next step depends on is in the status of the Alert. A process that begins anew between any two
//     steps goes on as if nothing had been.
//   - What is to be told is on record before it is put into the outbox, and what was put is on record after it: the same
//     notice has the same ID and the same content however often it is put.
//   - An incident gives at most two notices to a receiver besides repeats, however often the series goes back and forth in it:
//     it is over when the series has been quiet for keepFiringFor. One that is over before anything was told, and did not come
//     back, gives one.
//   - What is not known changes nothing. What somebody has stopped is no incident.
//
// Everything in here is pure: the time is an argument, and who asks telemetry hands it in. It imports api and telemetry.
package alert
