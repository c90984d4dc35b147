// Package podview shows tasks of Swarm as Kubernetes' pods, and its nodes as Kubernetes' nodes.
//
//	service, tasks ── Select ──► one for each slot ── Pod ──► corev1.Pod
//	node ───────────────────────────────────────────── Node ─► corev1.Node
//
// Everything in it is pure: no clock, no client. The same input gives the same object, so that a change of the object is a
// change of what it shows.
//
// A pod holds nothing that somebody who may read its TenantContainer cannot read there: a variable has a value only when the
// container declares that very value, and a reference otherwise.
//
// Callers: internal/controlplane/views. It imports api and the types of Kubernetes and of Swarm.
package podview
