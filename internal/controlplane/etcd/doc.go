// Package etcd gives the control plane its store: one etcd member inside this process, or a cluster that somebody else
// runs.
//
// The embedded member listens on a unix socket in the private data directory and nowhere else: no port, no peer
// listener, no certificate to renew. An external cluster is reached by TLS.
//
// Whatever the store is, it carries a marker that says which cluster it belongs to and which keys its data need. Adopt
// compares the marker with this server's data directory before anything is read or written, so that a lost store, a
// restored backup of another cluster, or a second server with keys of its own is a refusal that names the cause, and
// not an empty API whose controllers would take every running container for an orphan.
//
// Caller: internal/controlplane. It imports etcd and the standard library only.
package etcd
