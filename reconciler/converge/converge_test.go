package converge

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestToyConverges shows that a control loop without flaws passes everything.
func TestToyConverges(t *testing.T) {
	toyHarness(nil).Run(t, story, EveryPoint, StaleRestarts(1, 3), Storms(20, 30), Storms(5, 70), LostNotifications(5),
		Lags(time.Second, time.Minute), Just(
			Outage("store-down", Refuse, 0, time.Minute, func(p Point) bool { return p.Seam == storeSeam }),
			Outage("world-down", Refuse, 0, time.Minute, func(p Point) bool { return p.Seam == "Shelf" }),
			Outage("world-hangs", Hang, 0, time.Minute, func(p Point) bool { return p.Seam == "Shelf" }),
		))
}

// TestUnheardOfObject loses the news of objects that are gone again before anybody could hear of them.
func TestUnheardOfObject(t *testing.T) {
	brief := Scenario{Name: "brief", Steps: []Step{{
		Name: "create-and-delete",
		Do: func(r *Run) {
			story.Steps[0].Do(r)
			story.Steps[2].Do(r)
		},
		Until: holds(""),
	}}}
	toyHarness(nil).Run(t, brief, LostNotifications(2))
}

// TestFlawsAreFound shows that the harness is worth something: each flaw is found by some plan.
func TestFlawsAreFound(t *testing.T) {
	cases := map[string]struct {
		reason string
		flaw   func(*toy)
		only   Kind // of faults to try; all when empty
		steps  int  // of the story to play; all when zero
		want   string
	}{
		"AddsTwice": {
			reason: "A call that came late meets the retry.",
			flaw:   func(k *toy) { k.addsTwice = true },
			steps:  1,
			want:   "two boxes web",
		},
		"KeepsNotes": {
			reason: "Whoever notes down what was asked for, not what happened, forgets what failed.",
			flaw:   func(k *toy) { k.keepsNotes = true },
			want:   "has not come to what was declared",
		},
		"Restless": {
			reason: "A pass over what is as declared must write nothing.",
			flaw:   func(k *toy) { k.restless = true },
			steps:  2,
			want:   "not quiet",
		},
		"Forgetful": {
			reason: "The finalizer must not go before the box.",
			flaw:   func(k *toy) { k.forgetful = true },
			only:   Refuse,
			want:   "has not come to what was declared",
		},
		"TrustsError": {
			reason: "An error is not an empty store.",
			flaw:   func(k *toy) { k.trustsError = true },
			steps:  2,
			want:   "a box is gone that is wanted",
		},
		"Greedy": {
			reason: "What is not ours is not touched.",
			flaw:   func(k *toy) { k.greedy = true },
			want:   "somebody else's box is gone",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			h, tale := toyHarness(tc.flaw), story
			if tc.steps > 0 {
				tale.Steps = tale.Steps[:tc.steps]
			}

			run := func(plan Plan) (out result) {
				t.Run("run", func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { out = h.once(t, tale, &plan) })
				})

				return out
			}

			reference := run(Plan{Name: "reference"})
			found := faulty(reference, reference)

			for _, plan := range EveryPoint(reference.points) {
				if len(found) > 0 {
					break
				}

				if !strings.HasPrefix(plan.Name, string(tc.only)) {
					continue
				}

				found = faulty(reference, run(plan))
			}

			if !strings.Contains(strings.Join(found, "\n"), tc.want) {
				t.Errorf("%s\nfound: %q", tc.reason, found)
			}
		})
	}
}
