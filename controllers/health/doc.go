// Package health is the health monitor: it holds what tasks did and used against what they should, and tells owners what is
// wrong with containers that Swarm calls running.
//
//	tasks, samples ── Observe ──► reconciler/health.Judge ──► status.health, annotation, Events
//	                                                     └──► stops stuck tasks, where the owner has asked for it
//
// It looks at everything every half minute, and keeps nothing that matters from one look to the next: the verdict before is in
// the status. It never changes a spec and never touches a service.
//
// The package may not import adapters.
package health
