// Package faults puts the control loops of Dogker, as they are wired in the server, to the test of reconciler/converge:
// crash, refusal, silence, lost and late answers at every single call they make, to the API and to the engine; stale
// caches, lost events, lists cut short, two leaders. After each they must reach what was declared, and then be quiet.
//
// The engine is internal/fake/swarm, which a contract suite holds to the real one; the read cache is the real
// internal/swarm. Everything runs on fake time.
//
//	go test ./test/faults                       all of it
//	go test ./test/faults -run 'Faults/create'  one scenario
//	go test ./test/faults -short                a sample of the plans
//	DOGKER_FAULTS=1/3 go test ./test/faults     the second third of the plans
//
// A failure prints the command that repeats exactly it. What was found once is kept in museum_test.go.
package faults
