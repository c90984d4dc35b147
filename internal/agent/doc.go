// Package agent is what Dogker runs on every node: it samples what the containers of Swarm's tasks use, and is a narrow door
// to the node's engine for the servers.
//
//	server ── mTLS ──► door ──► engine's socket        logs, exec, attach, stop, events
//	         (pki)      ├─────► ring of reports ◄── Sampler ◄── engine, /proc
//	                    └─────► port of a container
//
// Servers dial agents; agents dial nobody. An agent keeps nothing: its key is made in memory at each start, and what it has
// sampled is kept again by the servers.
//
// This package holds the Sampler, which the server uses for its own node as well, the ring that agents keep reports in, and
// the Client by which a server asks an agent. Package door serves what the Client asks for, and package pki is who is who.
//
// What is sampled is counters as the kernel counts them. What they mean is for package telemetry.
package agent
