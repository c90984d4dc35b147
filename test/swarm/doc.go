// Package swarm tests internal/swarm against swarms of three real nodes that are killed, frozen and cut off, as far as one
// machine allows: rows D1 to D4 of the fault matrix, the adapter's part. The tests have the build tag e2e.
package swarm
