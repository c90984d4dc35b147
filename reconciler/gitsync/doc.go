// Package gitsync says how a sync of a Git repository lives between two builds: when the next one is due, what it waits for,
// and what is remembered of those before. It is pure: time and chance are arguments.
//
//	interval ± jitter ──► next visit            dependsOn ──► order, cycles, who is waited for
//	failures in a row ──► next try              attempts  ──► the last five, each result once
//
// What holds everywhere in it:
//
//   - Syncs that were made in the same second do not stay in step.
//   - A result that is seen again is not written again: a sync at rest writes nothing, not even its status.
//   - Texts hold no times and no counters, so that they can end in conditions.
//
// The words are those of Flux' Kustomization. What is applied and pruned is package inventory's; what a repository is built
// to is package source's. It is called by the controller that owns syncs. It must not import controllers, adapters or a
// client.
package gitsync
