// Package guard is the last look at a service spec before it goes to the engine. Whoever reaches a manager's API is root
// on every node, and the engine itself checks next to nothing about safety: so what Dogker sends is checked twice, here
// for the second time.
//
// It is an allow list. Every field of Docker's type is walked; a field that is not on the list and not empty is refused.
// A field that a newer engine knows is therefore refused until somebody has thought about it and added it to the list.
//
// A refusal is an alarm: it means that the renderer or the schema let something through, not that a user made a mistake.
// Nothing is repaired here and nothing is sent.
//
// The package must not import servicespec, nor share code with it: two implementations that were written apart rarely
// have the same hole. It is pure, and is called by the workload controller in front of every create and every update.
package guard
