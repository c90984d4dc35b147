package workload

import (
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/reconciler/outcome"
)

func TestContest(t *testing.T) {
	repair := []step{updateService{why: whyDrift}}
	scaling := []step{updateService{why: whyScale}}

	cases := map[string]struct {
		reason string
		past   []time.Duration // ages of earlier repairs, oldest first
		steps  []step

		held      bool
		contested bool
		calmAfter time.Duration
	}{
		"FirstRepair": {
			reason: "Drift is repaired at once.", steps: repair,
		},
		"SeveralRepairs": {
			reason: "Somebody who works on a service by hand is no adversary yet.", steps: repair,
			past: []time.Duration{5 * time.Second, 4 * time.Second, 3 * time.Second, 2 * time.Second, time.Second},
		},
		"TooSoon": {
			reason: "The next repair of a fight waits for its turn.", steps: repair, held: true, contested: true, calmAfter: 54 * time.Second,
			past: []time.Duration{6 * time.Second, 5 * time.Second, 4 * time.Second, 3 * time.Second, 2 * time.Second, time.Second},
		},
		"ItsTurn": {
			reason: "A fight is never given up.", steps: repair, contested: true, calmAfter: 50 * time.Second,
			past: []time.Duration{10 * time.Second, 9 * time.Second, 8 * time.Second, 7 * time.Second, 6 * time.Second, 5 * time.Second},
		},
		"AnythingElse": {
			reason: "What the owner asks for is no part of the fight.", steps: scaling, contested: true, calmAfter: 54 * time.Second,
			past: []time.Duration{6 * time.Second, 5 * time.Second, 4 * time.Second, 3 * time.Second, 2 * time.Second, time.Second},
		},
		"Over": {
			reason: "What happened a minute ago is forgotten, and nobody else has to move for the condition to go.",
			past:   []time.Duration{time.Minute, 5 * time.Second, 4 * time.Second, 3 * time.Second, 2 * time.Second, time.Second},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := scene(t)

			var c contest
			for _, age := range tc.past {
				c.note(client.ObjectKeyFromObject(s.tc), s.now.Add(-age))
			}

			steps, err := c.rein(s, tc.steps)

			var wait *outcome.Wait
			if held := errors.As(err, &wait); held != tc.held {
				t.Errorf("%s: got error %v, want held back: %t", tc.reason, err, tc.held)
			}
			if !tc.held && len(steps) != len(tc.steps) {
				t.Errorf("%s: got steps %v, want %v", tc.reason, steps, tc.steps)
			}
			if s.contested != tc.contested || s.calmAfter != tc.calmAfter {
				t.Errorf("%s: got contested %t, calm after %v, want %t, %v", tc.reason, s.contested, s.calmAfter, tc.contested, tc.calmAfter)
			}
		})
	}
}
