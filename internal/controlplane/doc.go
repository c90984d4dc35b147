// Package controlplane is a Kubernetes API without Kubernetes' machines: the API server of Kubernetes itself, assembled
// from its libraries, with a store, certificates, admission rules and the handful of Kubernetes' own controllers that an
// API needs to behave as its users expect.
//
//	:6443 ── aggregator ── Kubernetes' own kinds ── our kinds (CRDs) ── 404
//	             │              one handler chain: authn, audit, fairness, RBAC, admission
//	             ▼
//	  etcd by unix socket, or an external cluster
//
// A Server is made by New, which takes the data directory for this process, opens the store and assembles the API, and it
// lives in Run, which serves until its context ends:
//
//	New → AddReadyCheck, OnServing … → Run: serve → bootstrap our kinds → call OnServing → wait
//
// Shutdown is the same backwards: what OnServing started ends first, then the API, then the store, then the lock of the
// data directory is given back.
//
// Invariants: nothing but the API port listens beyond this process; /readyz is true only while our kinds are served and
// every ready check passes; Secrets never reach the disk in plain text.
//
// Packages below it: datadir (who owns the directory), pki (certificates), etcd (the store), admission (rules of our
// kinds), fairness (whose share of the API a request is), books (the ledger of a tenant, to read), views (pods and nodes, out of the swarm), bootstrap (what every
// cluster holds), kubecontrollers (Kubernetes' own loops).
//
// Caller: cmd/dogker. It must not import controllers.
package controlplane
