// Package workload keeps Swarm services as TenantContainers declare them.
package workload
