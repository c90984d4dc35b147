// Package git builds objects of repositories: it is the source.Builder that does the work, in the process that it is called in.
//
//	Request ─► fetch ─► tree ─► build ─► Built
//
// Servers do not call it: they call the pool of package worker, which calls this in a process of its own. Everything that a hostile
// repository can do to it, it can do to that process alone.
//
// It must not import controllers or the server.
package git
