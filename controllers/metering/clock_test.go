package metering

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/usage"
)

// glance is a reading of the clocks, so long after the process began.
type glance struct {
	mono time.Duration
	// offset of our clock, and of the managers' from ours; deaf when none can be asked.
	offset, managers time.Duration
	deaf             bool
}

func TestWatch(t *testing.T) {
	const tick = 15 * time.Second
	at := func(ticks int, offset time.Duration) glance {
		return glance{mono: time.Duration(ticks) * tick, offset: offset}
	}
	many := func(from, to int, offset time.Duration) []glance {
		var out []glance
		for i := from; i <= to; i++ {
			out = append(out, at(i, offset))
		}

		return out
	}
	repeat := func(n int, what trust) []trust {
		var out []trust
		for range n {
			out = append(out, what)
		}

		return out
	}
	skip := func(cause usage.Cause, from, length, seconds int64) []usage.Skip {
		return []usage.Skip{{Cause: cause, From: began.Unix() + from, To: began.Unix() + from + length, Seconds: seconds}}
	}

	cases := map[string]struct {
		reason  string
		glances []glance
		want    []trust
		skipped []usage.Skip
		mark    int64 // seconds after the beginning
	}{
		"Steady": {
			reason:  "Nothing happens.",
			glances: many(0, 3, 0), want: repeat(4, trusted),
		},
		"SmallStep": {
			reason:  "Clocks are put right by seconds now and then.",
			glances: []glance{at(0, 0), at(1, 4*time.Second), at(2, 0)}, want: repeat(3, trusted),
		},
		"Drift": {
			reason:  "No single step is large, but nobody took a sample in for so long that it is off by a minute.",
			glances: []glance{at(0, 0), {mono: 10 * time.Hour, offset: 61 * time.Second, deaf: true}}, want: []trust{trusted, skewed},
		},
		"StepForward": {
			reason:  "It is believed again after two minutes in which the managers agree, and what it left out is skipped.",
			glances: append(many(0, 1, 0), many(2, 11, time.Hour)...),
			want:    append(append(repeat(2, trusted), repeat(8, skewed)...), repeat(2, trusted)...),
			skipped: skip(usage.CauseClockForward, 15, 3600, 0),
		},
		"StepForwardAndBack": {
			reason:  "It was wrong for a moment. Nothing is left out.",
			glances: append(append(many(0, 1, 0), at(2, time.Hour)), many(3, 11, 0)...),
			want:    append(append(repeat(2, trusted), repeat(9, skewed)...), trusted),
		},
		"StepForwardAlone": {
			reason:  "The managers do not agree, so it is our clock that is wrong, for as long as it takes.",
			glances: append(many(0, 1, 0), glance{mono: 2 * tick, offset: time.Hour, managers: -time.Hour}, glance{mono: 100 * tick, offset: time.Hour, managers: -time.Hour}),
			want:    append(repeat(2, trusted), repeat(2, skewed)...),
		},
		"AgreementIsBroken": {
			reason: "Two minutes begin anew with each doubt.",
			glances: append(append(append(many(0, 1, 0), many(2, 8, time.Hour)...),
				glance{mono: 9 * tick, offset: time.Hour, managers: time.Minute}), many(10, 18, time.Hour)...),
			want:    append(append(repeat(2, trusted), repeat(16, skewed)...), trusted),
			skipped: skip(usage.CauseClockForward, 15, 3600, 0),
		},
		"StepBackward": {
			reason:  "What it shows was metered already; it is waited for, and what passed meanwhile is not charged.",
			glances: append(many(0, 2, 0), many(3, 7, -time.Minute)...),
			want:    append(append(repeat(3, trusted), repeat(3, behind)...), repeat(2, trusted)...),
			skipped: skip(usage.CauseClockBackward, 30, 0, 60),
		},
		"StartBehind": {
			reason:  "The last sample of another process lies ahead of our clock.",
			glances: many(0, 3, 0), want: append(repeat(2, behind), repeat(2, trusted)...), mark: 30,
		},
		"StartInDisagreement": {
			reason:  "A process that has just begun has no clock of its own to compare with.",
			glances: append([]glance{{managers: -time.Hour}}, many(1, 9, 0)...),
			want:    append(repeat(9, skewed), trusted),
		},
		"StartWithoutManagers": {
			reason:  "Nobody agrees with it.",
			glances: []glance{{deaf: true}}, want: []trust{skewed},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var w watch
			var got []trust
			var skipped []usage.Skip
			mark := began.Unix() + tc.mark
			for _, g := range tc.glances {
				r := Reading{Wall: began.Add(g.mono + g.offset), Mono: g.mono}
				managers := []time.Time{r.Wall.Add(g.managers)}
				if g.deaf {
					managers = nil
				}
				got = append(got, w.judge(r, time.Second, managers, mark))
				if got[len(got)-1] == trusted {
					skipped = append(skipped, w.use(r)...)
					mark = r.Wall.Unix()
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ntrust (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.skipped, skipped); diff != "" {
				t.Errorf("%s\nskipped (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSystemClock(t *testing.T) {
	c := systemClock{started: time.Now()}
	first, second := c.Read(), c.Read()
	if second.Mono < first.Mono || second.slip(first).Abs() > maxStep {
		t.Errorf("from %+v to %+v is no time that passes", first, second)
	}
	if first.Wall != first.Wall.Round(0) {
		t.Error("the wall clock has a monotonic reading, by which differences would be taken")
	}
}
