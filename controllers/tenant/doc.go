// Package tenant makes what a Tenant declares and keeps it so: the namespace, the rights of its members, its quota, its
// service accounts, and its network with a subnet of its own.
//
//	          ┌ Plan ─┐
//	Tenant ──►│ survey│──► plan (pure) ──► apply ──► report
//	          └ Swarm ┘
//
// What holds:
//   - A namespace that was there before is only taken over when it says so itself, by its label.
//   - No two tenants get addresses in common. A subnet is claimed in the status of the Tenant, then the claim is held
//     against those of all others at the API server itself, then the network is made; and Swarm gives addresses to the
//     first network that asks for them only. A network that exists has the last word: it is adopted as it is.
//   - What somebody takes away or changes is put back. What the platform team adds is left alone: only objects with
//     our label are ever removed.
//   - A tenant is taken down in one order: containers, account, namespace, network, rights. Nothing of it is taken before
//     its deletionPolicy allows all of it, and no namespace while money in it is not settled.
//
// A tenant's suspension is data: package workload reads it and holds the containers at zero. So is status.billing, which the
// loop of accounts writes: a pass leaves it as it is.
//
// Callers: cmd. It imports api and reconciler; never an adapter, another controller or a client of Docker.
package tenant
