// Package job runs TenantJobs: it puts runs on record, makes a service of Swarm for each, waits until the run is over, puts its
// result on record, and takes the service away.
//
//	status.active          Swarm                       status.history
//	─────────────          ─────                       ──────────────
//	run on record  ──────► service made, once
//	                       tasks run
//	               ◄────── what they did ────────────► result on record
//	                       service removed ◄────────── (only then)
//
// What begins, what is over and what was missed is decided by reconciler/jobrun, which is pure. Its two rules hold everything
// together: a run is on record before anything of it is made, by a write that carries the version that was read; and nothing of it
// is removed before its result is. So a tick has one run at most, whoever is killed in between, and a run that is over is
// never taken for one that was never begun.
//
// A service is replicated, and its tasks are not restarted when they have ended well; why it is no job of Swarm's own stands at
// servicespec.Job. Nothing of it is updated but the number of its tasks, which starts none again: to more, as tasks of a run with many
// completions succeed, and to none, before it is removed. It is rendered by the renderer of containers and held against the same
// guard.
//
// The package belongs to controllers/workload, whose parts it shares, and is started by cmd. It knows no adapter.
package job
