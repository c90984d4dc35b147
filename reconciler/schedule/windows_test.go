package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/schedule"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := schedule.Zone(name)
	if err != nil {
		t.Fatal(err)
	}

	return z
}

func clock(t interface{ Fatal(...any) }, s string) schedule.Clock {
	c, err := schedule.ParseClock(s)
	if err != nil {
		t.Fatal(err)
	}

	return c
}

func TestWindows(t *testing.T) {
	workdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

	cases := map[string]struct {
		reason      string
		zone        string
		days        []time.Weekday
		start, stop string
		at          string
		open        bool
		change      string
	}{
		"Within": {
			reason: "Jakarta is seven hours ahead of UTC, all the year.",
			zone:   "Asia/Jakarta", days: workdays, start: "08:00", stop: "18:00",
			at: "2026-11-23T01:00:00Z", open: true, change: "2026-11-23T11:00:00Z",
		},
		"JustClosed": {
			reason: "The end is not in the window any more.",
			zone:   "Asia/Jakarta", days: workdays, start: "08:00", stop: "18:00",
			at: "2026-11-23T11:00:00Z", open: false, change: "2026-11-24T01:00:00Z",
		},
		"OverTheWeekend": {
			reason: "After Friday evening comes Monday morning.",
			zone:   "Asia/Jakarta", days: workdays, start: "08:00", stop: "18:00",
			at: "2026-11-27T11:00:00Z", open: false, change: "2026-11-30T01:00:00Z",
		},
		"OverMidnight": {
			reason: "A window belongs to the day on which it opens: Saturday night goes on into Sunday.",
			zone:   "UTC", days: []time.Weekday{time.Saturday}, start: "22:00", stop: "06:00",
			at: "2026-11-22T05:59:59Z", open: true, change: "2026-11-22T06:00:00Z",
		},
		"EndOfDay": {
			reason: "24:00 is the end of the same day.",
			zone:   "UTC", days: []time.Weekday{time.Sunday}, start: "00:00", stop: "24:00",
			at: "2026-11-22T23:59:59Z", open: true, change: "2026-11-23T00:00:00Z",
		},
		"Always": {
			reason: "What opens when it closes is never closed, and never changes.",
			zone:   "UTC", start: "08:00", stop: "08:00",
			at: "2026-11-22T08:00:00Z", open: true,
		},
		"SkippedHour": {
			reason: "In Berlin the clock goes from 02:00 to 03:00 on the last Sunday of March: what begins at 02:30 begins at 03:00.",
			zone:   "Europe/Berlin", start: "02:30", stop: "04:00",
			at: "2026-03-29T00:59:59Z", open: false, change: "2026-03-29T01:00:00Z",
		},
		"SkippedWhole": {
			reason: "A window that lies within the skipped hour does not open that day.",
			zone:   "Europe/Berlin", start: "02:10", stop: "02:50",
			at: "2026-03-29T00:30:00Z", open: false, change: "2026-03-30T00:10:00Z",
		},
		"HourTwice": {
			reason: "The clock that is put back to 02:00 in October shows 02:10 again.",
			zone:   "Europe/Berlin", start: "02:10", stop: "02:50",
			at: "2026-10-25T00:50:00Z", open: false, change: "2026-10-25T01:10:00Z",
		},
		"PutBackIntoTheWindow": {
			reason: "At 03:00 it is 02:00 again, and the window to 02:30 is open once more.",
			zone:   "Europe/Berlin", start: "01:00", stop: "02:30",
			at: "2026-10-25T00:45:00Z", open: false, change: "2026-10-25T01:00:00Z",
		},
		"HalfHourZone": {
			reason: "Not every zone is a whole number of hours away.",
			zone:   "Asia/Kolkata", start: "09:00", stop: "10:00",
			at: "2026-11-23T03:30:00Z", open: true, change: "2026-11-23T04:30:00Z",
		},
		"SkippedDay": {
			reason: "Samoa had no 30 December 2011: a window of that Friday did not open, and the next is a week later.",
			zone:   "Pacific/Apia", days: []time.Weekday{time.Friday}, start: "00:00", stop: "24:00",
			at: "2011-12-30T09:00:00Z", open: false, change: "2012-01-05T10:00:00Z",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := schedule.NewWindows(zone(t, tc.zone), schedule.Window{Days: tc.days, Start: clock(t, tc.start), Stop: clock(t, tc.stop)})

			at, err := time.Parse(time.RFC3339, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.Open(at); got != tc.open {
				t.Errorf("Open(%s) = %t, want %t: %s", tc.at, got, tc.open, tc.reason)
			}

			change := ""
			if c := w.Change(at); !c.IsZero() {
				change = c.UTC().Format(time.RFC3339)
			}
			if diff := cmp.Diff(tc.change, change); diff != "" {
				t.Errorf("Change(%s): %s (-want +got):\n%s", tc.at, tc.reason, diff)
			}
		})
	}
}

// TestChangeIsTheNext holds Change against a walk from minute to minute, in zones whose clocks do unusual things.
func TestChangeIsTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z := zone(t, rapid.SampledFrom([]string{
			"UTC", "Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns",
		}).Draw(t, "zone"))

		minute := rapid.IntRange(0, 24*60)
		windows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) schedule.Window {
			days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 3, rapid.ID).Draw(t, "days")
			w := schedule.Window{
				Start: schedule.Clock(time.Duration(minute.Draw(t, "start")%(24*60)) * time.Minute),
				Stop:  schedule.Clock(time.Duration(minute.Draw(t, "stop")) * time.Minute),
			}
			for _, d := range days {
				w.Days = append(w.Days, time.Weekday(d))
			}

			return w
		}), 0, 3).Draw(t, "windows")
		w := schedule.NewWindows(z, windows...)

		// Around a change of the clock, because nothing happens elsewhere that does not happen there.
		from := time.Date(2026, 1, 1, 0, 0, 0, 0, z)
		if _, put := from.ZoneBounds(); !put.IsZero() {
			from = put.Add(-time.Duration(rapid.IntRange(0, 2*24*60).Draw(t, "before")) * time.Minute).Truncate(time.Minute)
		}

		want, end := time.Time{}, from.Add(4*24*time.Hour)
		for at := from; at.Before(end); at = at.Add(time.Minute) {
			if w.Open(at) != w.Open(from) {
				want = at

				break
			}
		}

		switch got := w.Change(from); {
		case want.IsZero() && !got.IsZero() && got.Before(end):
			t.Errorf("Change(%s) = %s, a walk finds no change before %s", from, got, end)
		case !want.IsZero() && !got.Equal(want):
			t.Errorf("Change(%s) = %s, a walk finds %s", from, got, want)
		}
	})
}

func TestParse(t *testing.T) {
	for _, s := range []string{"", "8:00", "08:0", "08", "24:01", "25:00", "12:60", "-1:00", "+8:00", "08:00 ", "08:00:00", "０８:00"} {
		if c, err := schedule.ParseClock(s); err == nil {
			t.Errorf("ParseClock(%q) = %v, want an error", s, c)
		}
	}
	for _, s := range []string{"Local", "Asia/Atlantis", "../etc/passwd", "/etc/localtime", "asia/"} {
		if z, err := schedule.Zone(s); err == nil {
			t.Errorf("Zone(%q) = %v, want an error", s, z)
		}
	}
}

func TestOpenPerWeek(t *testing.T) {
	at := func(hour int) schedule.Clock { return schedule.Clock(time.Duration(hour) * time.Hour) }
	weekdays := []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

	for name, tc := range map[string]struct {
		reason  string
		windows []schedule.Window
		want    time.Duration
	}{
		"None":       {"What is never open.", nil, 0},
		"Always":     {"A window of a whole day, every day.", []schedule.Window{{Start: at(8), Stop: at(8)}}, 168 * time.Hour},
		"Office":     {"Ten hours on five days.", []schedule.Window{{Days: weekdays, Start: at(8), Stop: at(18)}}, 50 * time.Hour},
		"OverNight":  {"From Saturday into Sunday, over the end of the week.", []schedule.Window{{Days: []time.Weekday{time.Saturday}, Start: at(22), Stop: at(6)}}, 8 * time.Hour},
		"Overlap":    {"What is open twice is open once.", []schedule.Window{{Start: at(8), Stop: at(12)}, {Start: at(10), Stop: at(14)}}, 42 * time.Hour},
		"SideBySide": {"One after the other.", []schedule.Window{{Start: at(8), Stop: at(12)}, {Start: at(12), Stop: at(14)}}, 42 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if got := schedule.NewWindows(time.UTC, tc.windows...).OpenPerWeek(); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
