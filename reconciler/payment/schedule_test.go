package payment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var opened = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// polls are the times at which an order is asked for when each is met, from begun on.
func polls(p Progress, begun time.Time) []time.Duration {
	var all []time.Duration

	for last := begun; ; {
		next, ok := NextPoll(p, last)
		if !ok {
			return all
		}

		all = append(all, next.Sub(begun))
		last = next
	}
}

func TestNextPoll(t *testing.T) {
	day := Progress{Opened: opened, Expires: opened.Add(24 * time.Hour)}
	want := []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 7 * time.Hour, 13 * time.Hour, 19 * time.Hour, 24*time.Hour + time.Minute,
		25 * time.Hour, 31 * time.Hour, 37 * time.Hour, 43 * time.Hour, 48 * time.Hour,
	}

	if diff := cmp.Diff(want, polls(day, opened)); diff != "" {
		t.Errorf("an order that nobody pays, -want +got:\n%s", diff)
	}

	short := Progress{Opened: opened, Expires: opened.Add(5 * time.Minute)}
	if got := polls(short, opened); got[2] != 6*time.Minute || got[len(got)-1] != 24*time.Hour+5*time.Minute {
		t.Errorf("a page of five minutes is asked for at %v", got)
	}

	day.Credited = opened.Add(3 * time.Hour)

	got := polls(day, day.Credited)
	if len(got) != 31 || got[0] != 10*time.Minute || got[1] != 24*time.Hour || got[30] != 30*24*time.Hour {
		t.Errorf("after the credit it is asked for at %v", got)
	}
}

// TestPollingEnds: from whatever time on, the times are later and later, never far apart while anything can change, and
// come to an end.
func TestPollingEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Progress{Opened: opened, Expires: opened.Add(time.Duration(rapid.Int64Range(5, 7*24*60).Draw(t, "life")) * time.Minute)}
		last := opened.Add(time.Duration(rapid.Int64Range(-3600, 40*24*3600).Draw(t, "last")) * time.Second)

		longest, end := steadyPoll, p.Expires.Add(afterExpiry)
		if rapid.Bool().Draw(t, "credited") {
			p.Credited = opened.Add(time.Duration(rapid.Int64Range(0, 3*24*3600).Draw(t, "after")) * time.Second)
			longest, end = 24*time.Hour, p.Credited.Add(watchDays*24*time.Hour)
		}

		for n := 0; ; n++ {
			next, ok := NextPoll(p, last)
			if !ok {
				if last.Before(end) {
					t.Fatalf("asked last at %s, and not again until %s", last, end)
				}

				return
			}

			if !next.After(last) || next.After(end) || n > 200 {
				t.Fatalf("after %s comes %s; the end is %s", last, next, end)
			}

			if begin := opened.Add(time.Hour); last.After(begin) && last.After(p.Credited) && next.Sub(last) > longest {
				t.Fatalf("between %s and %s are %s", last, next, next.Sub(last))
			}

			last = next
		}
	})
}
