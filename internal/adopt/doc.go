// Package adopt makes TenantContainers of services that run in Swarm already, such as those of `docker stack deploy`, and
// has them adopted without a task being restarted. It is what `dogker import` does.
//
//	engine ── Read ──► Live ── Make ──► Result: objects, findings, who is left alone
//	                           pure        │
//	                                       └── Import ──► API: network of the tenant, contents, containers; then the proof
//
// A service is read back into what it would be in a Compose file and goes through the mapping of package compose, with the
// same findings. What cannot be expressed is named, and its service is left alone as it is: with the first rollout of an
// adopted service whatever has no field would be gone.
//
// Invariants:
//
//   - Nothing is written to the engine. The server adopts, by the annotation dogker.io/adopt; its guard has the last word.
//   - A container that was made here and whose service was not adopted is taken away again; it has nothing in Swarm.
//   - The IDs of all tasks are compared before and after, and the result says so.
//   - No contents of secrets, and no values of variables, are in findings.
//
// Callers: cmd. It must not import controllers.
package adopt
