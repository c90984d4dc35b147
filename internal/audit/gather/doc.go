// Package gather asks an engine, its machine and the API for everything that an audit judges. It only reads: no call of it
// changes, starts or executes anything.
//
//	engine ──► info, swarm, services, tasks, networks, containers, processes ─┐
//	/proc, /etc, where the engine is on this machine ─────────────────────────┼──► audit.Input
//	API ──► Tenants, Plans, TenantContainers, TenantJobs, ContainerRevisions ─┘
//
// What cannot be read is not left out: the Input says why. Only an engine that does not answer is an error. Of variables
// only the names are kept, of mounts and volumes only paths of the node.
//
// The caller is cmd/dogker. It must not import controllers: the allow list that services are held against is handed in.
package gather
