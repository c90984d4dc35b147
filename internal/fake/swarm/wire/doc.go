// Package wire lets Docker's client talk to the swarm in memory as it talks to an engine: by HTTP. It is for tests of the
// whole binary, which finds its engine by DOCKER_HOST.
//
//	dogker server ── DOCKER_HOST=tcp://… ──► wire.Handler ──► swarm.Client
//
// It speaks what internal/swarm.API asks, and `docker service ps`, in the version of the API that the fake has, and answers
// anything else with 501, so that nobody takes a question that is not modelled for one without an answer.
//
// Callers: tests and benchmarks.
package wire
