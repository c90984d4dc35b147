// Package views serves kinds of Kubernetes that are stored nowhere: pods, which are tasks of Swarm, and nodes, which are
// its nodes. Both are worked out of the read cache of Swarm as it changes.
//
//	swarm.Engine ── hint: owner, nodes ──► Views ── podview ──► shelf ── log of changes ──► watches
//	                                         │                    └── objects ──► get, list
//	                                         └── Pod, Node: where a task is, for streams
//
// What holds:
//   - A hint costs the work of the owner's tasks that have changed, however many other tasks there are.
//   - Versions are decimal and grow, and each start of each server has its own: one of another server, or of an earlier
//     start, is answered 410 Expired, and clients list anew. See version.go.
//   - A watch never holds anything up. It reads the log at its own pace, and is ended when the log has gone on without it.
//   - Before the swarm has been seen, and while it cannot be asked, pods and nodes are not known, which is no empty list.
//   - Nothing is written: see Refuse.
//
// Callers: internal/controlplane. It must not import controllers.
package views
