// Package rig is what benchmarks stand on: a private engine and bare calls to it, a proxy that counts calls and can
// swallow events, a swarm in memory for more tasks than a machine has room for, the server under test, a raw etcd, a Git
// server, and the CPU and memory of each of these processes.
//
//	          ┌────────────── dogker server ──► etcd in it
//	caller ───┤                     │
//	          ├── docker stack …    │  (proxy: counted, events swallowed)
//	          ├── bare calls        ▼
//	          │      └──────────► dockerd (lab)
//	          └── raw transactions ──► etcd of its own, beside it
//
// What is measured runs in processes of its own, so that each pays for its own work. The caller is the benchmark itself.
package rig
