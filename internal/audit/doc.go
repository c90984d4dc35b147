// Package audit holds a live cluster against the CIS Docker Benchmark and against the security profiles of its tenants.
//
//	engine, swarm, API ──► gather ──► Input ──► Evaluate ──► Report ──► text, JSON, YAML
//	                                            (pure)
//
// A check is a row of a table: its id (the number in version 1.6 of the benchmark, or the id of a rule of ours as in
// docs/guides/security.md), what is right, how to mend it, and a pure judge. What a judge says of one object is one of
// four: it passes, it is a finding, the check does not apply, or it cannot be seen from here, and why. There is no fifth:
// what is not looked at at all is listed, too, with the reason (unseen.go).
//
// What a service's spec says holds for its tasks on all nodes; what only the node knows (the user of the image, the
// kernel's word on a process) is asked of the containers on the node of the engine. Both are one Container here, so that
// a check is written once.
//
// Invariants: everything in this package is pure, time is part of the input, and the same input gives the same report in
// the same order. Values of environment variables, labels and volume options never get into an Input, so no report can
// show them.
//
// Callers: cmd/dogker. It imports api and reconciler/policy; asking engines and the API is the work of gather.
package audit
