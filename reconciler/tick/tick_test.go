package tick_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/tick"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func hourly(t *testing.T) cron.Schedule {
	t.Helper()
	s, err := cron.Parse("@hourly", time.UTC)
	if err != nil {
		t.Fatal(err)
	}

	return s
}

// clock has decided its ticks up to so many hours from noon, each of them obeyed.
func clock(s cron.Schedule, hours int) *v1alpha1.JobClock {
	until := metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour))

	return &v1alpha1.JobClock{
		Schedule: s.String(), DecidedUntil: until,
		Ran: []v1alpha1.TickStretch{{Since: metav1.NewTime(noon.Add(-20 * time.Hour)), Until: until}},
	}
}

func TestDecide(t *testing.T) {
	s := hourly(t)
	since := func(c *v1alpha1.JobClock) *v1alpha1.JobClock {
		c.SuspendedSince = new(metav1.NewTime(noon.Add(-3 * time.Hour)))

		return c
	}
	other := clock(s, -3)
	other.Schedule = "*/30 * * * * UTC"
	gap := clock(s, 5)
	gap.Ran[0].Until = metav1.NewTime(noon.Add(-time.Hour))

	for name, c := range map[string]struct {
		reason  string
		clock   *v1alpha1.JobClock
		held    bool
		due     bool
		missed  int64
		cause   tick.Cause
		putBack bool
	}{
		"Rests":       {reason: "Nothing is due.", clock: clock(s, 0)},
		"Due":         {reason: "One is.", clock: clock(s, -1), due: true},
		"Down":        {reason: "The latest is made up for.", clock: clock(s, -4), due: true, missed: 3},
		"Held":        {reason: "Nothing is to begin.", clock: clock(s, -1), held: true},
		"HeldBefore":  {reason: "What came meanwhile is missed.", clock: since(clock(s, -3)), missed: 3, cause: tick.Suspended},
		"Rescheduled": {reason: "Ticks of another schedule are its own.", clock: other, missed: 6, cause: tick.ScheduleChanged},
		"PutBack":     {reason: "What was obeyed is not due again.", clock: clock(s, 5)},
		"PutBackOver": {reason: "What was only missed may be.", clock: gap, putBack: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := tick.Decide(c.clock, s, metav1.NewTime(noon), c.held)
			var missed int64
			for _, m := range d.Missed {
				missed += m.Count
				if m.Cause != c.cause {
					t.Errorf("%s\nthe cause is %d, want %d", c.reason, m.Cause, c.cause)
				}
			}
			if d.Tick.IsZero() == c.due || missed != c.missed || d.PutBack != c.putBack {
				t.Errorf("%s\ngot %+v", c.reason, d)
			}
			if c.due {
				d.Settle(c.clock, true)
			}
			again := tick.Decide(c.clock, s, metav1.NewTime(noon), c.held)
			if !again.Tick.IsZero() || len(again.Missed) > 0 || again.PutBack {
				t.Errorf("%s\nthe same moment decides again: %+v", c.reason, again)
			}
		})
	}
}

func TestNext(t *testing.T) {
	s := hourly(t)
	for hours, want := range map[int]time.Time{-1: noon.Add(time.Hour), 0: noon.Add(time.Hour), 5: noon.Add(6 * time.Hour)} {
		if got := tick.Next(clock(s, hours), s, noon); !got.Equal(want) {
			t.Errorf("decided until %d hours from noon the next is %s, want %s", hours, got, want)
		}
	}
}
