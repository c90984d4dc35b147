// Package swarm is Dogker's only door to a Docker Swarm: a read cache of what runs, writes with bounded waiting, and one
// translation of the engine's errors into the classes of swarmobj. It implements the interface that the workload
// controller declares.
//
//	        list, sweep, events                     create, update, remove
//	engine ───────────────────► cache ◄── write-through ── Swarm ◄── controller
//	                              │                          ▲
//	                              └── Look, Owners, hints ───┘
//
// Three rules hold everywhere in it.
//
// Swarm is the truth. The cache is filled by lists, made fresh early by events, and put right by the next list even when
// every event was lost. An older version of an object never replaces a newer one.
//
// Doubt is not absence. An engine that cannot be asked is an error, not an empty swarm. An object that is missing from a
// list leaves the cache only after the engine, asked about that object alone, has said that there is none.
//
// No answer is not a failure. A write whose answer did not come is looked up before anything else is written for the
// same owner.
//
// The package may import api and the pure parts of reconciler. It must not import controllers, and it knows nothing of
// Kubernetes.
package swarm
