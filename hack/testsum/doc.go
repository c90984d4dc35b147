// Command testsum shows the output of `go test -json` as people read it and counts.
//
//	go test -json ./... | testsum [-totals FILE]
//	testsum -sum FILE
//
// It prints one line per package and per top-level test, and the whole output of what failed. With -totals it appends
// the numbers to a file; -sum adds up such a file and prints the last line of a whole run: `N passed, N failed`.
//
// A test with subtests counts as its subtests, unless it failed by itself. What fails outside of any test (a package that
// does not build, a panic, TestMain) counts as one failure: nothing can fail without being counted. The exit code is 1
// when anything failed, which includes a package that never ended, and 2 when the input makes no sense.
package main
