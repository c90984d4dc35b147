// Package e2e holds the tests of Dogker on real engines: the binary as it is shipped, a private swarm of one node or
// three, kubectl and a Kubernetes client on one side, Docker's own client on the other. What Dogker says is held against
// what the engine says.
//
//	kubectl, client ──► dogker server ──► engines of a lab ◄── Docker's client
//	                                          ▲
//	                  probe: asks a container for a page, from inside its neighbour
//
// Run them with `make e2e`, or
//
//	go test -tags e2e ./test/e2e                          all of it
//	go test -tags e2e ./test/e2e -run TestDrift -v        one scenario
//	DOGKER_BIN=bin/dogker go test -tags e2e ./test/e2e    with a binary that is built already
//
// They need root and what internal/lab needs. Most tests share one cell, which is a lab with a server, and have a
// namespace each; those that break engines or servers have a cell of their own. Every namespace is deleted when its test
// ends, and the test fails when anything of it is left in Swarm. When a test fails, it prints what the API and the engine
// hold of its namespace and where the logs are.
package e2e
