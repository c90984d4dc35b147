// Package swarm is a Docker Engine in swarm mode that lives in memory: raft versions, orchestrators, rolling updates,
// restarts, a scheduler, nodes that start and stop containers, events. It implements internal/swarm.API, so that
// everything above the engine can be tested in milliseconds, on fake time (testing/synctest), and with faults no real
// engine would produce on demand.
//
//	Client ── hook, recorder ──► Cluster ── settle ──► orchestrators ─► scheduler ─► nodes ─► containers
//	  ▲                             │                       ▲                                    │
//	  └── the code under test       └── events ◄────────────┴────────────────────────────────────┘
//
// A Cluster is the swarm; a Client is one connection to it, with a Hook through which a test makes calls fail, hang,
// get lost before or after they were done, or lie. Admin is a connection without a hook: somebody at the keyboard.
//
// It is a model, not an engine, and it is held to the real one: package contract runs the same assertions on both. What
// it copies most carefully is what controllers stumble over: an update that changes nothing destroys the way back, a
// stale version is an HTTP 500, no answer is not a failure, a removed service's containers go on, a network can be
// removed too early, version numbers move by themselves, tasks make no events.
//
// Jobs, plugins, volumes and templates are not modelled; asking for one is refused loudly.
//
// The clock is the standard library's: inside a synctest bubble it is fake. No goroutine runs but those of event streams.
package swarm
