// Package rollout is what `dogker rollout` and `dogker restart` do: it reads and patches TenantContainers through the
// API, as any client could, and prints for people. It decides nothing; the workload controller does.
package rollout
