package faults

import (
	"testing"
)

func TestFaults(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			h := newHarness()
			if testing.Short() {
				h.Sample = 12
			}

			h.Run(t, scenario)
		})
	}
}
