// Package commit makes a commit on top of another one, with some files changed and everything else as it was, and packs what a
// server does not have of it. Nothing is checked out: trees are made of trees.
//
// It is called by internal/git, in a process of its own. It must not import controllers or the server.
package commit
