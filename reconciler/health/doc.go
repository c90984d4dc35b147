// Package health says what is wrong with a container though Swarm runs it, from what its tasks did and what they used, and
// what its tasks would need instead. It is pure: the same observation gives the same verdict.
//
// A verdict is made from the one before, which is in the status of the object: what has been found stays until it is clearly
// over, with the evidence of when it was found, so that nothing is written while nothing changes.
//
// What is missing proves nothing: without samples nothing is found that takes samples to find, and nothing is over.
//
// Callers: controllers/health. It may import api, reconciler/swarmobj and reconciler/telemetry.
package health
