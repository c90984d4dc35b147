package outbox

import (
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/alert"
)

// TestFate: what has become of a notice can be asked for, for as long as it is remembered.
func TestFate(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		answer error
		after  time.Duration
		route  func(alert.Notification) (Route, error)
		want   Fate
		says   string
	}{
		"Delivered": {reason: "All is well.", want: FateDelivered},
		"Refused":   {reason: "It is tried again.", answer: Failed(ErrRefused, "No.", errBoom), want: FateWaiting, says: "boom"},
		"Down":      {reason: "So it is when nothing is taken.", answer: Failed(ErrUnreachable, "Down.", errBoom), want: FateWaiting, says: "boom"},
		"GivenUp":   {reason: "It is not tried again.", answer: Failed(ErrFinal, "Never.", errBoom), want: FateGivenUp},
		"TooOld":    {reason: "It was tried for a week.", answer: Failed(ErrUnreachable, "Down.", errBoom), after: stale + time.Hour, want: FateGivenUp},
		"Nobody":    {reason: "There is nobody to tell.", route: func(alert.Notification) (Route, error) { return Route{}, nil }, want: FateNobody},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, Limits{})
			h.answer = func(string, string) error { return tc.answer }
			if tc.route != nil {
				h.route = tc.route
			}
			h.put(note("acme", "a"))
			h.after(0)
			if tc.after > 0 {
				h.after(tc.after)
			}
			fate, says, err := h.queue.Fate(t.Context(), "acme", "a")
			if err != nil || fate != tc.want || !strings.Contains(says, tc.says) || (says == "") != (tc.says == "") {
				t.Errorf("got %q, %q, %v; want %q and %q. %s", fate, says, err, tc.want, tc.says, tc.reason)
			}
		})
	}
	h := newHouse(t, Limits{})
	if fate, _, err := h.queue.Fate(t.Context(), "acme", "a"); err != nil || fate != FateDropped {
		t.Errorf("one that was never put: got %q, %v", fate, err)
	}
}
