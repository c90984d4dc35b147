// Package servicespec turns a TenantContainer into the spec of a Swarm service, and tells two such specs apart.
//
//	TenantContainerSpec ── TemplateOf ──► template ── TemplateHash ──► revision
//	                                        │
//	         Secrets, ConfigMaps ── Env, Files
//	                                        │
//	                     Input ── Build ──► want ──┐
//	                                               ├── Diff ──► Changes: what to write, how hard it hits
//	                       the engine's answer ────┘
//
// Invariants:
//   - Build makes the spec from nothing. No value of the engine and no raw JSON of a tenant is copied through.
//   - Same input, same bytes: no clock, no randomness, no map order.
//   - Diff(what the engine answers for Build(x), Build(x)) is empty. A write without a difference would destroy Swarm's
//     rollback target and end an automatic rollback in flight, so Normalise knows everything the engine fills in.
//   - No value of an environment variable appears in a Change.
//
// Build trusts that its input passed the schema and says which field is wrong where the schema cannot know. What leaves
// for the engine is checked again by package guard, which shares no code with this one and must not be imported here.
//
// The package is pure: Docker's data types, no client; apimachinery, no cluster.
package servicespec
