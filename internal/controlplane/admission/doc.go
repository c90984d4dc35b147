// Package admission holds the rules of our kinds that their schema cannot say, because they need the old object, the
// person who asks, or other objects. It is compiled into the API server: no webhook can be down or slow.
//
// What it changes: a TenantContainer and a GitSync are born with our finalizer, mode and replicas are made to agree, and what
// its tenant's plan has for a container is filled in.
// What it refuses: what the tenant's policy does (package policy), a published port that somebody else has, a cycle of
// dependsOn, annotations that belong to another controller or give away what runs in Swarm already, a Secret that is to be filled with a token which the person who
// asks may not have, a GitSync or ImagePolicy that acts as an account which that person could not be, a change of what a ContainerRevision
// has on record, and a User with the email address of another; and what the balance of a tenant cannot carry, what its plan
// takes as a payment, codes that are no coupon's, prices for the past, and what the platform alone may do to an account; and of
// data, what would show it to others: adopted volumes and archives, classes that mix it, and hooks of who may run no commands.
//
// Invariants: it fails closed; what it changes it would not change again; a message names the field, the value and what
// is allowed.
//
// Caller: internal/controlplane. It imports api/, what is pure in reconciler/, internal/git and internal/outbound,
// internal/throttle and Kubernetes' admission interfaces.
package admission
