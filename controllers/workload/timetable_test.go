package workload

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

func TestTimetable(t *testing.T) {
	nine := &v1alpha1.Schedule{TimeZone: "Asia/Jakarta", Windows: []v1alpha1.RunWindow{{Start: "09:00", Stop: "17:00"}}}
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}

		return parsed
	}

	cases := map[string]struct {
		reason   string
		schedule *v1alpha1.Schedule
		now      time.Time
		closed   bool
		left     time.Duration
		text     string
		stalled  string
	}{
		"None": {
			reason: "A container without a schedule is never looked at again because of the time.", now: at("2026-11-23T00:00:00Z"),
		},
		"Open": {
			reason: "It is looked at again a moment after the window closes.", schedule: nine, now: at("2026-11-23T09:59:59Z"), left: time.Second + 10*time.Millisecond,
		},
		"Closed": {
			reason: "The text has the time of the next window, on its own clocks, and no date: it is told apart from the next by its weekday.", schedule: nine,
			now: at("2026-11-23T10:00:00Z"), closed: true, left: 16*time.Hour + 10*time.Millisecond,
			text: "No window of spec.schedule is open before Tuesday 09:00 WIB",
		},
		"UnknownZone": {
			reason: "A zone that the database of another version had is no reason to guess.", now: at("2026-11-23T10:00:00Z"),
			schedule: &v1alpha1.Schedule{TimeZone: "Asia/Atlantis", Windows: nine.Windows},
			stalled:  `spec.schedule.timeZone: Invalid value: "Asia/Atlantis": must be the name of a time zone, such as Asia/Jakarta`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			table, err := timetableOf(tc.schedule, tc.now)

			var stall *outcome.Stall
			if errors.As(err, &stall) != (tc.stalled != "") || stall != nil && (stall.Error() != tc.stalled || stall.Reason != v1alpha1.ReasonInvalidSchedule) {
				t.Fatalf("%s\nerror = %v, want %q", tc.reason, err, tc.stalled)
			}
			if table.closed != tc.closed || table.left(tc.now) != tc.left {
				t.Errorf("%s\nclosed = %t, left = %v, want %t, %v", tc.reason, table.closed, table.left(tc.now), tc.closed, tc.left)
			}
			if tc.text != "" {
				s := scale{resting: true, until: table.change}
				if diff := cmp.Diff(tc.text, restingText(s, table.zone)); diff != "" {
					t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
				}
			}
		})
	}
}
