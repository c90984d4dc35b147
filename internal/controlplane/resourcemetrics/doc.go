// Package resourcemetrics serves the group metrics.k8s.io out of memory: what `kubectl top`, k9s and dashboards ask for.
//
//	telemetry.Reader ── samples ──┐
//	                              ├──► PodMetrics, NodeMetrics
//	pods and nodes as shown ──────┘
//
// It answers as metrics-server does. CPU is what was used between two samples, memory is the working set of the last, the
// window is the time between them; a pod or a node of which there is nothing fresh is left out, so that nobody takes
// nothing known for nothing used. Labels are those of the pod or the node, so that selectors work.
//
// Version v1beta1 is what there is: k8s.io/metrics of Kubernetes 1.36 has no other, and kubectl of that version asks for no
// other.
//
// Callers: internal/controlplane. It must not import controllers.
package resourcemetrics
