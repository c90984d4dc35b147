// Package jobrun decides what becomes of the runs of a TenantJob: when one begins, how it stands, when it is over, what is kept of
// it. It is pure: the time is an argument, and who asks Swarm hands in what it shows.
//
//	tick ──record──► Pending ──task──► Running ──┬──► Succeeded ─┐
//	  │                 │                        ├──► Failed ────┼──► service removed ──► record forgotten
//	  └──► missed       └──────── held ──────────┴──► Interrupted┘
//
// What holds:
//
//   - First the record, then the deed. A Plan has the next status, and steps that follow only from the status that was read. The
//     status is written with the version that was read, so of two who decide about a tick one writes, and the other reads again.
//   - A tick has at most one run. It is decided by the status alone, never by what Swarm shows or does not show.
//   - A run has at most one service at a time, because its name is made of the job's UID and the tick and Swarm has no two
//     services of one name; and it has no second one after it, because a service may only be made before startBefore, and is taken
//     away only some time after that unless it has to be stopped. A service that was seen and is gone is not made again.
//   - What is not known changes nothing: a list that may be incomplete does not say that something is not there.
//   - A tick that has no run is counted, with why.
//   - What is known of the tasks of a run is in the record before its service goes.
//   - At rest nothing is written.
//
// Clocks are not trusted further than they have to be: put forward, one tick has its run and the rest is missed; put back, ticks
// that may have had their run have no second one. What is left is a process that stands still between looking at the clock and
// writing to the engine, for longer than startBefore and the time after it: docs/adr/0029-jobs.md.
//
// It is called by controllers/workload/job. It imports the API's types, reconciler/tick, reconciler/cron, reconciler/conditions
// and swarmobj.
package jobrun
