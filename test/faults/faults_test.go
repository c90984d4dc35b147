package faults

import (
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/converge"
)

// shortSample is how many plans there are to each that runs with -short.
const shortSample = 12

func harnessFor() *converge.Harness {
	h := newHarness()
	if testing.Short() {
		h.Sample = shortSample
	}

	return h
}

// TestFaults lets something go wrong at every call of every scenario, one thing at a time.
func TestFaults(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor().Run(t, scenario, converge.EveryPoint) })
	}
}

// TestStaleViews lets the process die after every write, and shows the next one the store as it was before.
func TestStaleViews(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor().Run(t, scenario, converge.StaleRestarts(1, 2, 4), converge.LostNotifications(20), converge.Lags(time.Second, 20*time.Second))
		})
	}
}

// TestLostEvents drops, doubles, delays and reorders what the engine tells.
func TestLostEvents(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor().Run(t, scenario, lostEvents(30)) })
	}
}

// TestOutages takes the engine, the registry and the store away for a minute, whole or in part.
func TestOutages(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor().Run(t, scenario, outages()) })
	}
}

// TestStorms lets calls fail at random for a minute. The name of a plan holds its seed.
func TestStorms(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor().Run(t, scenario, converge.Storms(10, 10), converge.Storms(10, 50))
		})
	}
}
