// Package swarm tests internal/swarm against what stands around it: the interfaces that the controllers declare, and,
// with the build tag e2e, real engines that are killed, cut off and restarted.
package swarm
