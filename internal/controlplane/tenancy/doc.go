// Package tenancy is what the API server knows of tenants while it admits something: which namespace is whose, which
// policy is in force there, and who has published which port.
//
//	namespace ──label──► Tenant ──planName──► Plan ──► policy.Policy
//
// What holds:
//   - A namespace that belongs to a Tenant never passes for one that does not: what a cache does not show is asked for at
//     the store, and a Tenant or a Plan that is missing there is an error.
//   - A published port has one holder. The record is a Lease in the platform's namespace, made and taken over with the
//     store's own compare-and-swap, so that of two servers that admit at the same moment one loses.
//
// Callers: internal/controlplane and its admission plugins. It imports api, reconciler/policy and Kubernetes' clients.
package tenancy
