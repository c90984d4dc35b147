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
// Versions v1 and v1beta1 are the same but for the name. kubectl up to 1.36 asks for v1beta1 only.
//
// Callers: internal/controlplane. It must not import controllers.
package resourcemetrics
