// Package volumework does what reconciler/volumejob names, beside the controllers: it copies, saves, restores and removes what is in
// volumes, in goroutines of its own, for as long as this process leads.
//
//	Order ─► waiting, in order ─► running, a few at once ─► ended, until Dismiss
//	              └── Cancel ──────────────┴────────────────► ended
//
// What holds:
//
//   - Nothing is on record here. What a process that was killed has left is found by its labels: containers of internal/voldata by
//     Sweep, volumes by Discard, frozen containers and hooks by a Thaw, uploads by the sweep of stores.
//   - Everything ends with the context of Run. What was frozen runs again before Run returns, if this process still may change
//     anything; otherwise whoever leads next orders a Thaw, or the node's agent lets go of it by itself.
//   - Before anything is made, removed, frozen or run in a container Options.Hold is asked: right before each call that does it,
//     not when the job begins, which may be hours earlier.
//   - Containers are frozen only while their volume is read. What is stored is read back after that.
//   - Moves go before restores, and those before snapshots, because containers stand still for them. Within one of these, jobs begin
//     in the order in which they were ordered, tenants in turn, and none is overtaken at a node that it waits for.
//   - A hook that lasts, which is a tenant's own command, takes nobody's turn: after a minute others may begin. It goes on at once
//     when it has ended, and a tenant has few of them at a time.
//   - Job.Err is made of words of ours. What engines and stores have said is logged.
//
// Callers: cmd, for controllers/volume, controllers/releasedvolume and controllers/volumesnapshot. It must not import controllers,
// and knows neither the cluster (internal/volumework/places does) nor how engines are reached (internal/fleet).
package volumework
