// Package datadir owns the directory in which a server keeps everything that must outlive it: who may use it, what lies
// where, and how files in it are replaced.
//
//	DIR/
//	  lock               held with flock for as long as the server runs; holds its pid
//	  identity.json      who this server is, and which cluster its data belong to
//	  admin.kubeconfig   0600, for people and scripts
//	  etcd/              the embedded store
//	  pki/               certificate authority, certificates, service-account key
//	  secrets/           the key that encrypts Secrets at rest, and the key of digests
//	  audit/             policy and log of who asked for what
//
// Invariants: the directory is 0700; one process at a time holds it, and a dead one never blocks the next, because the
// kernel drops the lock with the process; a file is either its old or its new content, also after kill -9.
//
// Callers: internal/controlplane and the commands that read what a server left behind. It imports the standard library
// only.
package datadir
