// Package door is what an agent serves: the narrow part of its engine's API that servers need, and what the agent adds to it.
//
//	request ──► who? ──► which rule? ──► query, body ──► which container? ──► engine
//	            mTLS     method, path    rebuilt, not     one of a task of
//	                                     passed on        Swarm, not our own
//
// Whoever reaches an engine's socket is root on its machine. So nothing passes that is not on the list in rules.go, and what
// passes is written anew from what was understood: a field that the engine reads otherwise than we do is never sent. Only
// containers of Swarm's tasks can be named, by their whole ID, and never the agent's own. Only what was started through the
// door can be resized or looked at.
//
// What is in volumes passes by containers that are made through the door, in data.go: they are what voldata.Mount says and nothing
// else, and there is no rule by which one could be started. What was paused goes on, in freeze.go, when nobody says any more that it
// is not to.
//
// The package knows nothing of tenants: who may do what to which container is decided where people are known, by the server.
//
// Limits are in server.go and door.go: of headers, bodies and streams. How many may be there who have not shown a certificate is
// in strangers.go.
package door
