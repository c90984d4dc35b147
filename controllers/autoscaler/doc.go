// Package autoscaler keeps the number of tasks of containers with spec.autoscaling at what is needed.
//
//	telemetry, Prometheus, counters ──► observe ──► autoscale.Decide ──► act ──► annotation monitoring.dogker.io/replicas
//	                                                                      └────► status.autoscaling, events
//
// Every 15 seconds it looks at each of them and writes one annotation, when the number is to be another. The workload
// controller does the rest, as for a number that people declare. It writes as system:dogker:monitoring, which may write nothing
// else, and by server-side apply, so that nobody's fields are touched.
//
// What a quota or a balance has no room for is refused where the annotation is written, by the very code that refuses it to
// people: the quota is charged in the same transaction, so that two that scale at once cannot both get the last of it. What is
// refused is asked for by halves, and not again for a minute.
//
// Nothing need outlive the process. A new leader takes no task away before it has watched for a whole stabilization window, and
// knows the last change from the status. Where nothing can be measured, nothing is changed.
//
// It must not import adapters and other controllers. It runs on the leader only.
package autoscaler
