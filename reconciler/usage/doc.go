// Package usage turns what is seen of a swarm every 15 seconds into how long everything ran, and that into windows of a
// minute that can be charged. It has no clock, no client and no prices: times come in with the sample, quantities go out.
//
//	Sample ── Frame ──► Account.Observe ──► runs of one tenant ──► Account.Due ──► Charge: windows, lines, gaps
//	tasks, nodes,       opens, follows       from ─────► to        splits them
//	volumes, clocks     and ends runs                              exactly
//
// A run is one task between the moments from which and to which it is charged. Swarm tells of tasks only when it is asked,
// and forgets them soon, so the rules say what may be concluded from two looks:
//
//   - A task is charged while it is RUNNING on a node that is ready. Pulling, starting and waiting cost nothing.
//   - It begins at the time its status says, if that lies between the last sample and this one, and otherwise now.
//   - A task that runs now and ran at the last sample has run all the time: a task never runs twice. However long nobody
//     looked, this is exact.
//   - It ends at the time its status says, if that can be true, and otherwise when it was last seen RUNNING.
//   - A task that vanished ended when it was last seen RUNNING.
//   - On a node that is not ready, or that was away since, it ended when the node was last seen ready, less the time that
//     managers take a silent node for ready. A node that comes back says when it came back, not when the task ended.
//   - A node of which the managers say that they do not know, as after an election among them, or that came back a moment
//     ago and may not have told yet what became of its tasks, is in doubt: they are neither charged nor ended meanwhile.
//   - Tasks that overlap, as in an update that starts the new one first, are both charged: both are reserved for.
//   - Volumes are charged while they exist.
//
// Doubt favours the tenant, by less than two sample intervals at each end. Seconds are whole: a run begins with its first
// whole second and ends with its last.
//
// A window may be closed once nothing that will ever be learnt can change it: NodeSilence after its end. That is why
// nothing has to be taken back, and a closed window stays closed.
//
// What must not be forgotten is small: an Account is stored when a run begins or ends and when a window is closed, and one
// Mark for all tenants says when the last sample was taken in. A process that is killed anywhere in between leaves behind
// what it would have left had it missed the sample.
//
// Invariants, which the tests state as properties: the windows of a run add up to the run; no window is given out twice;
// what is charged was RUNNING; what was read back is what was stored.
//
// Callers: controllers/metering, which decides when to look; internal/swarm, which makes samples; the ledger, which prices
// what comes out.
package usage
