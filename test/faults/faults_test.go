package faults

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/converge"
)

// shortSample is how many plans there are to each that runs with -short.
const shortSample = 12

func harnessFor(t *testing.T) *converge.Harness {
	t.Helper()
	h := newHarness()
	sample(t, h)

	return h
}

// sample leaves out plans: with -short, or as DOGKER_FAULTS says. 2/3 is the third of three parts.
func sample(t *testing.T, h *converge.Harness) {
	t.Helper()
	if testing.Short() {
		h.Sample = shortSample
	}
	part := os.Getenv("DOGKER_FAULTS")
	if part == "" {
		return
	}
	if _, err := fmt.Sscanf(part, "%d/%d", &h.Part, &h.Sample); err != nil || h.Part < 0 || h.Part >= h.Sample {
		t.Fatalf("DOGKER_FAULTS: %q must be a part of so many, such as 0/3 for the first of three", part)
	}
}

// TestFaults lets something go wrong at every call of every scenario, one thing at a time.
func TestFaults(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor(t).Run(t, scenario, converge.EveryPoint) })
	}
}

// TestStaleViews lets the process die after every write, and shows the next one the store as it was before.
func TestStaleViews(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor(t).Run(t, scenario, converge.StaleRestarts(1, 2, 4), converge.LostNotifications(20), converge.Lags(time.Second, 20*time.Second))
		})
	}
}

// TestLostEvents drops, doubles, delays and reorders what the engine tells.
func TestLostEvents(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor(t).Run(t, scenario, lostEvents(30)) })
	}
}

// TestOutages takes the engine, the registry and the store away for a minute, whole or in part.
func TestOutages(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) { harnessFor(t).Run(t, scenario, outages()) })
	}
}

// TestStorms lets calls fail at random for a minute. The name of a plan holds its seed.
func TestStorms(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			harnessFor(t).Run(t, scenario, converge.Storms(10, 10), converge.Storms(10, 50))
		})
	}
}
