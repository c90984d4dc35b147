// Package converge puts control loops to the test that matters: whatever goes wrong on the way, they must reach what was
// declared, and then be quiet. (The idea is Sieve's, OSDI'22, and the property Anvil's, OSDI'24.)
//
// A run happens in a testing/synctest bubble, on fake time. Everything the loops read and write crosses one of two seams,
// the API store and the outside world, as a numbered, typed Call. A first run without faults records the calls; from the
// record, plans are made: one for each call and each thing that can go wrong with it. Nothing is left to chance, so that
// every point is covered and every failure can be repeated; seeded storms of faults come on top.
//
//	Scenario ──► reference run ──► recorded calls ──► plans ──► perturbed runs
//	                  │                                              │
//	                  └── end state, declared and recorded ──────────┴──► the same, and ten passes without a write
//
// A crash is complete: from that call on nothing that the process does has any effect, exactly as if it had been killed
// there. The next process starts with empty memory, and a cache as stale as the plan says.
//
// The package is for tests. It knows neither Swarm nor any kind of ours: those come in through World and Start.
package converge
