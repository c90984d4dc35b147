// Package quota makes Kubernetes' own ResourceQuota count what TenantContainers use: CPU, memory, tasks and published
// ports, by the names in api/dogker/v1alpha1/quota_types.go. The same evaluators serve the admission of requests, which
// charges what is asked for before it is stored, and the controller that counts everything anew, so that both speak of
// the same numbers and `kubectl describe quota` is true.
//
// What is charged:
//   - What a container declares, for one task, times its tasks. A suspended container stays charged: resuming it must not
//     fail because somebody has taken its place. The tasks that a rollout with order StartFirst runs beside the old ones
//     are not: they are few (rule R4) and they go.
//   - What runs in its place, where that is more. A container that is paused, was rolled back, or is told to roll back
//     runs the template of a revision, and making the declared template smaller frees nothing until it runs.
//   - What a job declares, for one task, times the tasks of a run that there are at a time, whether or not a run is going on: a
//     tick must not fail because somebody has taken its place.
//   - A Volume by its size, also while only its data is left; a snapshot by what its archive takes, once that is known.
//   - A request to the scale subresource as the update of the container that it is.
//
// A count lowers a quota only when everything that was charged has had the time to be stored: see Patient. So what becomes
// free is free a second or two later, and two can never have the same place.
//
// Callers: internal/controlplane, for admission, and internal/controlplane/kubecontrollers, for counting.
package quota
