// Package golden compares what a test got with a file that people read, and writes the file anew when they say so:
//
//	go test ./internal/compose -update
//
// The flag is defined by importing the package, so test binaries that have no such files do not know it.
//
// The package is for tests, and imports nothing of ours.
package golden
