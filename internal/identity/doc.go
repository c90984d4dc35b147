// Package identity knows the people of a cluster: who has which password, which tokens are good, and for what.
//
//	POST /identity/v1/login ──► Service ──► Hasher (argon2id, few at a time)
//	                               │
//	                               ▼            Get, Put, Delete by version
//	Authorization: Bearer … ──► Authenticator ──► Store ◄──────────────────► KV (etcd, encrypted)
//	                               │                    changes of all servers
//	                               ▼
//	                           Directory: Users and DeployTokens, as the API serves them
//
// Who somebody is stands in objects (User, DeployToken); what proves it stands in records below a prefix of etcd that no
// API serves: hashes of passwords and of tokens, encrypted with the keys that encrypt Secrets. Every server holds the
// records in memory and follows their changes, so a request costs no call, and a token that was revoked on one server is
// void on the others as soon as the change has reached them.
//
// A login begins a session. It has a short-lived access token and a refresh token that is good once: using it makes the
// next one. A refresh token that comes a second time was stolen, from one of the two who sent it, and ends the session.
//
//	login ──► session ── refresh ──► session ── refresh ──► … idle too long, or too old: expired
//	             │
//	             └── log-out, new password, suspension, old refresh token: gone
//
// Invariants: a password or a token is never stored, logged or put into an error; every comparison with a secret takes
// the same time whatever the outcome; what an unauthenticated caller can make the server do is bounded in memory and in
// CPU; a server that has lost sight of the records refuses tokens rather than accepting what may be revoked.
//
// Caller: internal/controlplane. It must not import controllers.
package identity
