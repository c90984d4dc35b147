// Package telemetry is the language in which agents say what containers use, and in which everybody else asks about it:
// `kubectl top`, the autoscaler, the health monitor, alerts, Prometheus.
//
//	agent ── Report ──► Store ──► Window, Latest
//	                      ▲
//	  swarm's tasks ── Subject
//
// A Sample holds counters as the kernel counts them, from the start of one container; rates are differences of two samples of
// the same container, and nothing else. Sums over tasks are sums of such differences, so that a task which is replaced never
// makes a sum go backwards.
//
// The functions CPURate, WorkingSet, ThrottledRatio, NetworkRate and so on say what samples mean, for everybody alike.
//
// Nothing in here does I/O. What is charged does not come from here: see package usage.
package telemetry
