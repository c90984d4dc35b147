// Package autoscale decides how many tasks a container with spec.autoscaling is to have.
//
//	what was measured ──► a proposal of each metric ──► the largest ──► stabilization ──► cooldown ──► policies ──► bounds
//
// The rules are those of Kubernetes' HorizontalPodAutoscaler, so that whoever knows one knows the other. Where they differ, here
// less is taken away: a time in which nothing could be measured counts as a proposal to leave things as they are, and a task
// that is not ready counts as busy when tasks are to be taken away, not as absent.
//
// What holds:
//   - the number is never outside of minReplicas and maxReplicas;
//   - what is not known takes no task away;
//   - noise within the tolerance changes nothing;
//   - of two loads the greater one never gets fewer tasks.
//
// Replicas is what everybody goes by who asks how many tasks a container is to have: the controller that runs it, the quota
// and the price of it. It is worked out from the object alone, so that all of them agree at any moment.
//
// Nothing in here does I/O, and time is an argument. It imports api/ only. Callers: controllers/autoscaler, controllers/workload,
// reconciler/allotment, reconciler/billing, admission.
package autoscale
