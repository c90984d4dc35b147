package monitoring

import (
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/converge"
)

// shortSample is how many plans there are to each that runs with -short.
const shortSample = 12

// stories are what happens, each with the loop that it is about.
var stories = []story{alertStory, scaleStory, illStory, stuckStory, agentsStory}

func (s story) test(t *testing.T, planners ...converge.Planner) {
	t.Run(s.scenario.Name, func(t *testing.T) {
		h := s.harness()
		if testing.Short() {
			h.Sample = shortSample
		}
		h.Run(t, s.scenario, planners...)
	})
}

// TestFaults lets something go wrong at every call of every story, one thing at a time.
func TestFaults(t *testing.T) {
	for _, s := range stories {
		s.test(t, converge.EveryPoint)
	}
}

// TestStaleViews lets the process die after every write, and shows the next one the store as it was before.
func TestStaleViews(t *testing.T) {
	for _, s := range stories {
		s.test(t, converge.StaleRestarts(1, 2), converge.LostNotifications(10), converge.Lags(time.Second, 20*time.Second))
	}
}

// TestOutages takes the store, the engine, Prometheus and the outbox away for a minute.
func TestOutages(t *testing.T) {
	var plans []converge.Plan
	for _, seam := range []string{"Store", "Engine", "Prometheus", "Outbox"} {
		of := func(p converge.Point) bool { return p.Seam == seam }
		plans = append(plans,
			converge.Outage(seam+"-refuses", converge.Refuse, 0, time.Minute, of),
			converge.Outage(seam+"-refuses-later", converge.Refuse, 90*time.Second, 150*time.Second, of),
			converge.Outage(seam+"-loses-answers", converge.Lose, 0, 3*time.Minute, func(p converge.Point) bool { return of(p) && p.Write }),
		)
	}
	for _, s := range stories {
		s.test(t, converge.Just(plans...))
	}
}

// TestStorms lets calls fail at random for a minute. The name of a plan holds its seed.
func TestStorms(t *testing.T) {
	for _, s := range stories {
		s.test(t, converge.Storms(10, 10), converge.Storms(10, 50))
	}
}
