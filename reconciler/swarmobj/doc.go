// Package swarmobj says what Dogker's objects in Swarm are called, how they are labelled, and how a controller is shown
// them. It is the shared language of the controllers, which decide, and of internal/swarm, which reads and writes.
//
// It is pure: no client, no clock, no I/O. Docker's data types may appear here, its client may not.
//
//	API object ── Owner ──► names, labels ──► service, network, secrets, configs in Swarm
//	                                            │
//	controller ◄── World ◄── read cache ◄───────┘
package swarmobj
