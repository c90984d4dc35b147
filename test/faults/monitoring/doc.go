// Package monitoring puts the control loops that act on what is measured to the test of reconciler/converge: those of Alerts and
// Receivers, the autoscaler, the health monitor and the one that keeps agents. After a crash, a refusal, silence, a lost or late
// answer at every single call they make, with stale caches and a second leader, they must reach what the story says, tell
// people of each incident once, and then be quiet.
//
// The swarm, what is measured in it, Prometheus and the outbox are in memory. Everything runs on fake time.
//
//	go test ./test/faults/monitoring                        all of it
//	go test ./test/faults/monitoring -run 'Faults/scales'   one story
//	go test ./test/faults/monitoring -short                 a sample of the plans
package monitoring
