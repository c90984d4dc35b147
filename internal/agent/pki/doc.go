// Package pki is who is who among servers and agents.
//
//	Secret in dogker-system                 Swarm secret of the agents
//	┌──────────────────────────┐            ┌──────────────────────────┐
//	│ authority: cert and key  │            │ authority: cert          │
//	│ bootstrap: cert and key  │ ─ Bundle ─►│ bootstrap: cert and key  │
//	└────────────┬─────────────┘            └────────────┬─────────────┘
//	       Identity (server)  ◄──── mutual TLS 1.3 ────  Node (agent)
//
// Three names can be certified. A server is who may use agents; each makes a certificate of that name for itself, since all
// of them hold the authority. A node is one agent: its name holds the ID of its node in the swarm. And bootstrap is the name
// that every agent has at its start, which proves that it was started by this swarm's managers, and nothing more.
//
// An agent becomes a node like this. The server connects, finds bootstrap, and asks for a request: the agent's key, which is
// made in memory at each start, and a proof that it is the container that Swarm says is the agent of that node. The proof
// is keyed with the ID of that container, 256 random bits that have travelled from the engine to the managers over Swarm's
// own mutual TLS; no other node is told them. So whoever got hold of the bootstrap key, on another node, does not become
// this one. Then the server signs for the node, and from there on connections are pinned to the name of the node.
//
// Certificates of nodes and servers live for a day; servers renew them well before. A lost key ends with its process.
//
// The authority is replaced as a whole: a new one makes a new bundle, hence a new Swarm secret, hence new agents. That
// happens when its Secret is deleted, and by itself in the last months of its life.
package pki
