package cron_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/cron"
	"github.com/dogker/dogker/reconciler/schedule"
)

type fatal interface {
	Helper()
	Fatal(...any)
}

func parse(t fatal, expression, zone string) cron.Schedule {
	t.Helper()

	z, err := schedule.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cron.Parse(expression, z)
	if err != nil {
		t.Fatal(expression, err)
	}

	return s
}

func at(t fatal, s string) time.Time {
	t.Helper()

	moment, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}

	return moment
}

func TestNext(t *testing.T) {
	cases := map[string]struct {
		reason, expression, zone, after string
		want                            []string
	}{
		"Minutes": {
			reason: "The moment itself is not after itself.", expression: "*/15 * * * *", after: "2026-11-23T05:15:00Z",
			want: []string{"2026-11-23T05:30:00Z", "2026-11-23T05:45:00Z", "2026-11-23T06:00:00Z"},
		},
		"InAZone": {
			reason: "Jakarta is seven hours ahead.", expression: "30 2 * * *", zone: "Asia/Jakarta", after: "2026-11-23T00:00:00Z",
			want: []string{"2026-11-23T19:30:00Z", "2026-11-24T19:30:00Z"},
		},
		"EitherKindOfDay": {
			reason: "The 13th and every Friday: where both are named, either is enough.", expression: "0 0 13 * fri", after: "2026-11-11T00:00:00Z",
			want: []string{"2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"},
		},
		"Monthly": {reason: "A name.", expression: "@monthly", after: "2026-11-23T00:00:00Z", want: []string{"2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"}},
		"LeapDay": {reason: "2100 has none.", expression: "0 0 29 2 *", after: "2096-03-01T00:00:00Z", want: []string{"2104-02-29T00:00:00Z"}},
		"StepIsNoStar": {
			reason: "A step names days: every second day of the week, or the 29th.", expression: "0 0 29 2 */3", after: "2096-02-25T00:00:00Z",
			want: []string{"2096-02-26T00:00:00Z", "2096-02-29T00:00:00Z", "2097-02-02T00:00:00Z"},
		},
		"SkippedAtNight": {
			reason: "On 29 March 2026 there is no 02:30 in Berlin: it is made up for at 03:00, and only there.", expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T00:00:00Z",
			want: []string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		"SkippedOnce": {
			reason: "Four times that are skipped are one tick, and 03:00 is the same moment.", expression: "*/15 2,3 * * *", zone: "Europe/Berlin", after: "2026-03-29T00:50:00Z",
			want: []string{"2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z", "2026-03-29T01:30:00Z", "2026-03-29T01:45:00Z", "2026-03-30T00:00:00Z"},
		},
		"TwiceAtNight": {
			reason: "On 25 October 2026 there are two 02:30 in Berlin: it runs at the first.", expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00:00Z",
			want: []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		},
		"EveryHourGoesOn": {
			reason: "What runs every hour does so in the hour that comes twice, too.", expression: "30 * * * *", zone: "Europe/Berlin", after: "2026-10-24T23:40:00Z",
			want: []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"},
		},
		"EveryHourSkips": {
			reason: "And has nothing to make up for in the hour that is not there.", expression: "30 * * * *", zone: "Europe/Berlin", after: "2026-03-29T00:00:00Z",
			want: []string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"},
		},
		"NoMidnight": {
			reason: "In Beirut the clock goes from 24:00 to 01:00: a daily job of that day runs then.", expression: "@daily", zone: "Asia/Beirut", after: "2026-03-28T12:00:00Z",
			want: []string{"2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"},
		},
		"SkippedDay": {
			reason: "Samoa had no 30 December 2011; it is made up for when the 31st begins.", expression: "0 12 * * *", zone: "Pacific/Apia", after: "2011-12-29T00:00:00Z",
			want: []string{"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"},
		},
		"HalfAnHour": {
			reason: "Lord Howe puts its clocks by half an hour: 01:45 comes twice.", expression: "45 1 * * *", zone: "Australia/Lord_Howe", after: "2026-04-03T20:00:00Z",
			want: []string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := parse(t, tc.expression, tc.zone)

			var got []string
			for now := at(t, tc.after); len(got) < len(tc.want); {
				now = s.Next(now)
				got = append(got, now.UTC().Format(time.RFC3339))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s\n got %s\nwant %s", tc.reason, strings.Join(got, " "), strings.Join(tc.want, " "))
			}
		})
	}
}

// TestDueInBoundedTime counts what a walk would take minutes for.
func TestDueInBoundedTime(t *testing.T) {
	from := at(t, "1926-01-01T00:00:00Z")
	until := at(t, "2026-01-01T00:00:00Z")

	got := parse(t, "* * * * *", "UTC").Due(from, until)
	if want := int64(until.Sub(from) / time.Minute); got.Count != want || !got.First.Equal(from.Add(time.Minute)) || !got.Last.Equal(until) {
		t.Errorf("every minute of a hundred years: %+v, want %d", got, want)
	}

	got = parse(t, "30 2 * * *", "Europe/Berlin").Due(at(t, "2000-01-01T00:00:00Z"), at(t, "2026-01-01T00:00:00Z"))
	if want := int64(26*365 + 7); got.Count != want {
		t.Errorf("every night of 26 years, in Berlin: %d, want %d: one a night", got.Count, want)
	}

	if got := parse(t, "* * * * *", "UTC").Due(until, from); got != (cron.Ticks{}) {
		t.Errorf("nothing is due before now: %+v", got)
	}
	if got := (cron.Schedule{}).Due(from, until); got != (cron.Ticks{}) {
		t.Errorf("no schedule has no ticks: %+v", got)
	}
}

// TestAgainstAWalk holds Due and Next against a walk from minute to minute that remembers what the clock has shown.
func TestAgainstAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{
			"UTC", "Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Asia/Beirut", "America/St_Johns",
		}).Draw(t, "zone")
		f := fields{
			minutes:  rapid.SampledFrom([][]int{{0}, {30}, {15, 45}, {0, 10, 20, 30, 40, 50}, {59}}).Draw(t, "minutes"),
			hours:    rapid.SampledFrom([][]int{nil, {0}, {1}, {2}, {3}, {1, 2, 3}, {0, 12, 23}}).Draw(t, "hours"),
			days:     rapid.SampledFrom([][]int{nil, {1}, {25, 29}, {31}}).Draw(t, "days"),
			weekdays: rapid.SampledFrom([][]int{nil, {0}, {0, 6}, {3}}).Draw(t, "weekdays"),
		}
		s := parse(t, f.String(), zone)

		from := time.Date(2026, 1, 1, 0, 0, 0, 0, s.Zone())
		for range rapid.IntRange(1, 2).Draw(t, "change") {
			if _, put := from.ZoneBounds(); !put.IsZero() {
				from = put.In(s.Zone())
			}
		}
		from = from.Add(-time.Duration(rapid.IntRange(0, 36*60).Draw(t, "before")) * time.Minute).Truncate(time.Minute)
		until := from.Add(time.Duration(rapid.IntRange(0, 4*24*60).Draw(t, "length")) * time.Minute)

		want := f.walk(from, until, s.Zone())

		got := s.Due(from, until)
		if got.Count != int64(len(want)) {
			t.Fatalf("%s from %s until %s: %d ticks, a walk finds %v", s, from, until, got.Count, want)
		}
		if len(want) > 0 && (!got.First.Equal(want[0]) || !got.Last.Equal(want[len(want)-1])) {
			t.Fatalf("%s from %s until %s: from %s to %s, a walk finds %v", s, from, until, got.First, got.Last, want)
		}

		now := from
		for _, w := range want {
			if now = s.Next(now); !now.Equal(w) {
				t.Fatalf("%s: Next is %s, a walk finds %s of %v", s, now, w, want)
			}
		}
		if after := s.Next(now); !after.After(until) {
			t.Fatalf("%s: Next is %s, a walk finds none up to %s", s, after, until)
		}
	})
}

// fields of an expression; nil is *.
type fields struct{ minutes, hours, days, weekdays []int }

func (f fields) String() string {
	list := func(numbers []int) string {
		if numbers == nil {
			return "*"
		}

		return strings.ReplaceAll(strings.Trim(fmt.Sprint(numbers), "[]"), " ", ",")
	}

	return fmt.Sprintf("%s %s %s * %s", list(f.minutes), list(f.hours), list(f.days), list(f.weekdays))
}

func (f fields) match(wall time.Time) bool {
	in := func(numbers []int, n int) bool { return numbers == nil || slices.Contains(numbers, n) }
	date := in(f.days, wall.Day()) && in(f.weekdays, int(wall.Weekday()))
	if f.days != nil && f.weekdays != nil {
		date = in(f.days, wall.Day()) || in(f.weekdays, int(wall.Weekday()))
	}

	return date && in(f.minutes, wall.Minute()) && in(f.hours, wall.Hour())
}

// walk looks at the clock every minute, from long enough before to know what it has shown.
func (f fields) walk(from, until time.Time, zone *time.Location) []time.Time {
	var ticks []time.Time

	wallAt := func(at time.Time) time.Time {
		_, seconds := at.In(zone).Zone()

		return at.UTC().Add(time.Duration(seconds) * time.Second)
	}

	begin := from.Add(-48 * time.Hour)
	shown := wallAt(begin.Add(-time.Minute))

	for now := begin; !now.After(until); now = now.Add(time.Minute) {
		wall := wallAt(now)
		tick := f.match(wall)

		if f.hours != nil {
			tick = tick && wall.After(shown)
			for skipped := shown.Add(time.Minute); skipped.Before(wall); skipped = skipped.Add(time.Minute) {
				tick = tick || f.match(skipped)
			}
		}
		if wall.After(shown) {
			shown = wall
		}
		if tick && now.After(from) {
			ticks = append(ticks, now)
		}
	}

	return ticks
}
