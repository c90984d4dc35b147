// Package kubecontrollers runs the loops of Kubernetes' controller manager without which an API does not behave as its
// users expect: a deleted namespace is emptied, an owner takes its dependents with it, quota is counted, every namespace
// has its default service account and the authority's certificate, token Secrets are filled, and roles are aggregated.
//
// They are Kubernetes' own code, wired to one set of informers. Loops for kinds that are not served (Services,
// volumes …) are left out: they would list what does not exist, and log that it does not, for ever. Pods and nodes are served
// and are views: the loops that handle every kind leave them alone.
//
// Invariant: all of them tolerate a second copy for a moment, as Kubernetes itself relies on, but they are meant to run
// where the leader runs.
//
// Caller: cmd/dogker, under leader election.
package kubecontrollers
