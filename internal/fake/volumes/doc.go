// Package volumes is what an engine does for internal/voldata, in memory, with failures on demand: volumes, which mounts make
// as engines do, and containers that nobody starts. Live tests of internal/voldata hold what is expected of it against a real
// engine.
//
// It is for tests, and takes part in no decision. It imports nothing of ours.
package volumes
