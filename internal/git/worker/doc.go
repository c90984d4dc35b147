// Package worker runs builds of repositories apart from the server: each in a process of its own, which is the same binary, gets its
// request on standard input, answers on standard output, and is gone afterwards, with everything it has made.
//
//	Build ─► queue, fair among tenants ─► process ◄─ request, on stdin
//	                                         └──────► answer, as lines of JSON on stdout
//
// What a repository can make of its process, at worst, is to control it. Then it has:
//
//   - another user ID than the server, where the server is root: no files of the server's, no socket of the engine;
//   - no environment, no file descriptors but its three, no privileges to gain, an empty directory;
//   - limits on memory, CPU time, file sizes, descriptors and threads, which cannot be raised again, and a deadline, after which its process group is killed;
//   - the secrets of the one request that it was started for, and no others: they come on standard input, and are in no argument,
//     no variable and no log.
//
// The server believes nothing of what it answers but its form, which it checks again.
//
// It is called by cmd/dogker and by controllers through source.Builder. It must not import controllers or the server.
package worker
