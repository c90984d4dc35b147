// Package commitstatus tells Git servers what became of commits: pending, success, failure, beside what others say of them.
//
//	Tell ──► the newest state of each sync ──► POST to GitHub, GitLab or Gitea ──► sent
//	                     ▲                                  │
//	                     └── later, and ever later ◄────────┤ no answer, 5xx, too many
//	                                                        └► refused: told once, and not tried again
//
// What holds everywhere in it:
//
//   - Nobody waits for it. A state that a newer one has overtaken is not sent, and what was said is not said again.
//   - Where to send comes from tenants: only public addresses are dialed unless the request allows others, no redirect is
//     followed with the token, no answer is read beyond a bound, and nobody's slow server keeps others waiting.
//   - A token goes over TLS only, but for those who may use private addresses and have written http themselves.
//   - Memory, connections and time are bounded, by numbers that stand in limits.go. What a server answers is in no log.
//
// What is told is package gitsync's CommitState of the reconciler. It is wired by cmd, and must not import controllers or a
// client of Kubernetes.
package commitstatus
