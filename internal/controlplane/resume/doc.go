// Package resume lets watches go on where they were when the API server has been restarted.
//
// The API server answers watches from a cache that begins with the server. A client that comes back with a version from
// before the restart is told "too old", lists everything again, and so do all others at the same moment. But etcd still
// knows what happened in between, until it is compacted some minutes later: such a watch is answered from etcd. Only
// when etcd has forgotten too is the client told to list again.
//
//	watch from version v ── the cache knows v ────────────► cache
//	                     └─ it does not ── etcd knows v ──► etcd, for as long as this watch lives
//	                                    └─ it does not ───► 410 Gone
//
// Invariant: what the cache can answer is answered by the cache; a watch delivers every change after v once and in
// order, or 410.
//
// Caller: internal/controlplane, which wraps the storage of every kind.
package resume
