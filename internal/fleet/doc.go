// Package fleet is the server's side of the agents: it reaches the engine of each node, and knows which it cannot reach and
// why.
//
//	Runtime ──► fleet ── own node ──► engine's socket
//	              └───── others ── mTLS ──► agent ──► engine's socket
//
// A node without an agent, or with an old one, is no error of the fleet: what needs it fails with an error that names the node
// and the reason, and everything else goes on.
package fleet
