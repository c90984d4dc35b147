package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// The share of what is alive by which garbage may grow before it is collected. While the server starts, nothing is to
// be won by collecting; once it serves, half of Go's default trades a little CPU for a process that stays small beside
// the containers it manages.
const (
	gcPercentStarting = 400
	gcPercentServing  = 50
	// settled is how long after the start the memory that only the start needed is given back.
	settled = 20 * time.Second
)

// startWithMemory lets memory grow during the start. An operator who sets GOGC has decided otherwise.
func startWithMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentStarting)
	}
}

// saveMemory makes the process small once it serves.
func saveMemory(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercentServing)
	}

	select {
	case <-ctx.Done():
	case <-time.After(settled):
		debug.FreeOSMemory()
	}
	<-ctx.Done()

	return nil
}
