// Package login is the client's side of being somebody: it logs in, keeps the tokens in a file of their own, and hands
// them to kubectl as a credential plugin, refreshed when they near their end.
//
//	dogker login ──► API ──► session file (0600) ◄── dogker credential ◄── kubectl, client-go, Flux …
//	     └──► kubeconfig: cluster, context, and a user that runs dogker credential
//
// Invariants: a kubeconfig never holds a token or a password; of several programs that find a token expired at the same
// time one refreshes it, because a refresh token is good once; nothing is sent to a server whose certificate is not
// verified.
//
// Caller: cmd/dogker. It imports the requests of internal/identity.
package login
