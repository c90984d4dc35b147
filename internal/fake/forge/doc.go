// Package forge is what GitHub, GitLab and Gitea are to those who tell them what became of commits, in memory: the API of
// commit statuses, with the checks that the real ones make and with their answers, and with failures on demand.
//
// It is for tests, and takes part in no decision. It imports nothing of ours but names.
package forge
