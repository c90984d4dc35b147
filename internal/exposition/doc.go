// Package exposition shows Prometheus what runs, what it uses and how it stands, and where to find it:
//
//	telemetry.Reader ──┐                ┌─► nodes/NODE/proxy/metrics/cadvisor    one node, under cAdvisor's names
//	Swarm's tasks ─────┼──► exposition ─┼─► …/namespaces/NS/metrics              one tenant: tasks, sums, objects
//	objects ───────────┘                ├─► …/monitoring.dogker.io/v1alpha1/metrics   the objects of all tenants
//	                                    └─► …/targets, /sd/prometheus/…           lists of targets, for http_sd
//
// What the server says of itself is not in here: each package registers its own, and /metrics shows them.
//
// Invariants: a scrape asks nobody, neither an engine nor the store; nothing of a namespace is shown under the path of
// another one; a task is shown while it is sampled and not a moment longer, without a time of its own, so that Prometheus
// takes a series for ended as soon as it is; a list of targets is whole, or an error, of which Prometheus keeps what it had.
// Labels are names of objects and nodes, never of people. Every metric stands in a table, which the test of
// docs/reference/metrics.md reads.
//
// Callers: internal/controlplane, behind authentication and authorization. It must not import controllers or engines.
package exposition
