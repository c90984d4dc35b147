// Package fetch gets one commit of a repository that somebody else owns: from a URL and a reference to a tree of files. It also
// gives one back, on top of what is there.
//
//	URL ─► check ─► session (https, ssh) ─► references ─► one commit ─► pack on disk ─► limits ─► signature ─► Checkout
//
// The protocol is Git's, by the parts of go-git that read and write it. The part that go-git has above them, a repository with
// remotes, a configuration and a work tree, is left out: nothing is checked out, so there are no symlinks, hooks, filters or
// device names on any disk; there are no submodules; and nothing of a repository's own configuration is read.
//
//   - Every connection goes through outbound.Dialer, which refuses addresses and bounds bytes.
//   - Credentials go to the host of the URL, encrypted, and to nobody else: no redirect takes them along.
//   - A pack is measured before it is unpacked: how many objects, how large each becomes, how large all of them.
//   - What the server says in errors is shown without control characters, and shortened.
//
// It is called by internal/git. It must not import controllers or the server.
package fetch
