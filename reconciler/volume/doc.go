// Package volume says what is to become of a Volume: how engines call it, which node it lives on, whether containers can use
// it, what it is when its node is gone, and which data belongs to nobody any more. It is pure: what nodes tell is an input.
//
// The life of the data of a Volume that one node sees:
//
//	                a container mounts it            a task starts
//	WaitForFirstConsumer ───────────────► Bound ───────────────────► Bound, and seen on its node
//	                                     (node chosen, no data yet)       │            │
//	                                                             not there any more    │ the Volume is deleted
//	                                                                      ▼            ▼
//	                                                                    Lost     removed, or released
//
// What makes the data is the engine, when the first task that mounts it starts (Mount). Therefore a container may be given a
// Volume only when Usable says so, and only together with the node that it returns: elsewhere the engine would make an empty
// one without a word.
//
// Invariants:
//
//   - The name holds part of the UID, so that nothing but the Volume itself, or one that adopts the data, ever mounts it.
//   - Once a node is chosen it stays, unless it has left the swarm before there was data.
//   - Data that was seen once and is not there any more is lost, and is never replaced by an empty volume.
//   - What a node does not tell is not known; only a list without it, or the engine's word, says that data is not there.
//
// Callers: controllers/volume, controllers/workload, internal/controlplane/admission, cmd. It imports api and
// reconciler/swarmobj.
package volume
