// Package conformance holds the API against the clients that people use: the kubectl in the PATH, the one that is built
// in, and client-go. The server is the real binary on a data directory of its own, with no engine, so nothing here
// depends on Swarm.
//
// The tests need the build tag conformance (`make conformance`). DOGKER_BIN names a binary to test; without it one is
// built. TestCRDSchemas needs neither tag nor server.
//
// Most tests share one server and give themselves a namespace; those that stop and start a server have their own.
package conformance
