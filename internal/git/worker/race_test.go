//go:build race

package worker_test

// raced: the race detector takes memory of its own, and ends a process in its own way that gets none.
const raced = true
