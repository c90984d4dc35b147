// Package gitsync keeps what directories of Git repositories declare applied: it is the control loop of the kind GitSync.
//
//	due? ──► build, apart from the loop ──► plan ──► record ──► apply ──► healthy? ──► prune ──► rest
//	  ▲            └ fails: what is applied stays       └ in status, before the first write        │
//	  └──────────── interval, annotation, webhook, retry ◄─────────────────────────────────────────┘
//
// What holds everywhere in it:
//
//   - No pass waits for a repository, nor for something to become healthy. Builds are jobs that start a pass when they end;
//     health is looked at once a pass.
//   - What is about to be applied is in status.inventory of the stored object before the first write. Nothing is ever deleted
//     that is not in it.
//   - A build that fails changes nothing. A new commit ends the wait for an unhealthy one.
//   - What the spec names is read as its ServiceAccount, and applied as it.
//   - At rest nothing is written, not even status.
//   - One tenant has a few passes at a time; the others wait their turn.
//
// What is kept in memory (builds, when to look next, how the last visit ended) only saves work: a process that begins anew
// looks at every repository once, and comes to the same.
//
// It imports api and reconciler. It must not import adapters: they meet in cmd/dogker.
package gitsync
