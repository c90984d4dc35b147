// Package agents keeps one agent on every node, as a global Swarm service: it makes it, upgrades it, puts it back when
// somebody changes it, and removes it when no image is given any more.
//
//	flags ─┐
//	       ├─► desired ─► differences ─► create, update, remove
//	nodes ─┘       ▲
//	bundle ─► Swarm secret, named after its content
//
// The service is in the network of its hosts, for two reasons: only a node itself reaches the ports of containers on it, and
// an agent listens on its node's own address without a proxy in between. It holds the engine's socket, which is worth more
// than any network, so this gives away nothing that was not given already. All else is taken from it: it can write nowhere,
// has no capability, and cannot grow.
//
// Invariants:
//   - Nothing is written without a difference, and never what somebody else owns.
//   - The server's own node gets no agent, unless there may be other servers: see Options.OwnNode.
//   - What is wrong with the agent of a node is said once, as an event of that node, in the engine's own words.
//
// Old secrets are left to the collector, which removes what nothing refers to.
package agents
