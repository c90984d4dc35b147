package gitsync

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestSchedule(t *testing.T) {
	minute := Schedule{Interval: time.Minute}
	for name, tc := range map[string]struct {
		reason    string
		got, want time.Duration
	}{
		"Middle":           {"Half of chance is none.", minute.Next(0.5), time.Minute},
		"Earliest":         {"Chance takes a twentieth at most.", minute.Next(0), 57 * time.Second},
		"FirstRetry":       {"A failure is tried again after retryInterval.", Schedule{Interval: time.Hour, RetryInterval: 2 * time.Minute}.Retry(1, 0.5), 2 * time.Minute},
		"SecondRetry":      {"Then it doubles.", Schedule{Interval: time.Hour, RetryInterval: 2 * time.Minute}.Retry(2, 0.5), 4 * time.Minute},
		"LongestRetry":     {"Nobody waits longer than fifteen minutes because of failures.", Schedule{Interval: time.Hour, RetryInterval: 2 * time.Minute}.Retry(50, 0.5), 15 * time.Minute},
		"SlowAnyway":       {"A sync that is slower than that is not made quicker by failing.", Schedule{Interval: time.Hour}.Retry(3, 0.5), time.Hour},
		"WithoutRetry":     {"Without retryInterval the interval is it.", minute.Retry(1, 0.5), time.Minute},
		"MistakenInterval": {"Nothing becomes a loop.", Schedule{}.Next(0.5), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.got != tc.want {
				t.Errorf("%s\ngot %s, want %s", tc.reason, tc.got, tc.want)
			}
		})
	}
}

// TestScheduleBounds: whatever is declared, tries neither overtake what was promised nor get quicker with more failures.
func TestScheduleBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Schedule{
			Interval:      time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "interval")),
			RetryInterval: time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "retry")),
		}
		roll := rapid.Float64Range(0, 1).Draw(t, "roll")
		last := time.Duration(0)
		for n := 1; n < 70; n++ {
			d := s.Retry(n, roll)
			longest := max(s.RetryInterval, 15*time.Minute)
			if s.RetryInterval == 0 {
				longest = max(s.Interval, 15*time.Minute)
			}
			if d < minWait || float64(d) > 1.05*float64(longest)+1 {
				t.Fatalf("try %d is after %s", n, d)
			}
			if d < last {
				t.Fatalf("try %d is after %s, the one before after %s", n, d, last)
			}
			last = d
		}
	})
}

func TestDue(t *testing.T) {
	now := time.Unix(1000, 0)
	for name, tc := range map[string]struct {
		next               time.Time
		requested, handled string
		want               bool
	}{
		"NotYet":         {next: now.Add(1)},
		"Now":            {next: now, want: true},
		"Asked":          {next: now.Add(time.Hour), requested: "a", want: true},
		"AskedAgain":     {next: now.Add(time.Hour), requested: "b", handled: "a", want: true},
		"AlreadyHandled": {next: now.Add(time.Hour), requested: "a", handled: "a"},
		"AnswerIsTaken":  {next: now.Add(time.Hour), handled: "a"},
	} {
		if got := Due(now, tc.next, tc.requested, tc.handled); got != tc.want {
			t.Errorf("%s: due is %v", name, got)
		}
	}
}

func TestRevision(t *testing.T) {
	hash := strings.Repeat("1f", 20)
	for text, want := range map[string]Revision{
		"main@sha1:" + hash:      {"main", "sha1", hash},
		"sha1:" + hash:           {"", "sha1", hash},
		"feature/a@b@sha1:1f":    {"feature/a@b", "sha1", "1f"},
		"refs/pull/1@sha256:00a": {"refs/pull/1", "sha256", "00a"},
	} {
		got, err := ParseRevision(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
		if got.String() != text {
			t.Errorf("%s becomes %s", text, got)
		}
	}
	for _, text := range []string{"", "main", "main@", "main@sha1", "main@sha1:", "main@sha1:xyz", "@sha1:1f", ":1f"} {
		if got, err := ParseRevision(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}

	main, _ := ParseRevision("main@sha1:" + hash)
	if got := main.Short(); got != "main@sha1:1f1f1f1f" {
		t.Errorf("short is %s", got)
	}
}

func TestRemember(t *testing.T) {
	var history []Result
	remember := func(want bool, r Result) {
		t.Helper()
		before := slices.Clone(history)
		after, changed := Remember(history, r)
		if changed != want {
			t.Errorf("%s %s: remembered is %v", r.Revision, r.Reason, changed)
		}
		if diff := cmp.Diff(before, history); diff != "" {
			t.Errorf("what others hold was changed\n%s", diff)
		}
		history = after
	}

	remember(true, Result{Revision: "a", Reason: "Succeeded", Created: 2})
	remember(false, Result{Revision: "a", Reason: "Succeeded"})                 // Nothing happened.
	remember(true, Result{Revision: "a", Reason: "Succeeded", Configured: 1})   // Drift was put back.
	remember(true, Result{Revision: "b", Reason: "BuildFailed", Message: "x"})  // A bad commit.
	remember(false, Result{Revision: "b", Reason: "BuildFailed", Message: "x"}) // The same, tried again.
	remember(true, Result{Revision: "b", Reason: "BuildFailed", Message: "y"})  // Another mistake in it.
	remember(true, Result{Revision: "c", Reason: "Succeeded"})
	remember(true, Result{Revision: "d", Reason: "Succeeded"})

	var got []string
	for _, r := range history {
		got = append(got, r.Revision+r.Message)
	}
	if diff := cmp.Diff([]string{"d", "c", "by", "bx", "a"}, got); diff != "" {
		t.Errorf("the last five are remembered, the newest first\n%s", diff)
	}
}

func TestWaitFor(t *testing.T) {
	states := map[string]State{
		"ready": {Ready: true, Current: true}, "old": {Ready: true}, "broken": {Current: true},
		"off": {Suspended: true}, "rests": {Ready: true, Current: true, Suspended: true},
	}
	for name, tc := range map[string]struct {
		on        []string
		who, says string
	}{
		"Nobody":          {},
		"AllReady":        {on: []string{"ready", "rests"}},
		"Missing":         {on: []string{"ready", "gone"}, who: "gone", says: "does not exist"},
		"Broken":          {on: []string{"broken"}, who: "broken", says: "is not ready"},
		"ChangedSince":    {on: []string{"old"}, who: "old", says: "since it was changed"},
		"SuspendedBefore": {on: []string{"off"}, who: "off", says: "is suspended"},
		"FirstDeclared":   {on: []string{"off", "broken"}, who: "off", says: "is suspended"},
	} {
		who, says := WaitFor(tc.on, states)
		if who != tc.who || !strings.Contains(says, tc.says) || (says == "") != (tc.says == "") {
			t.Errorf("%s: waits for %q: %s", name, who, says)
		}
	}
}

func TestCycle(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		on     map[string][]string
		want   string
	}{
		"None":      {"A line ends.", map[string][]string{"a": {"b"}, "b": {"c"}}, ""},
		"Itself":    {"The shortest there is.", map[string][]string{"a": {"a"}}, "a → a"},
		"Two":       {"Both ends are said.", map[string][]string{"a": {"b"}, "b": {"a"}}, "a → b → a"},
		"Shortest":  {"The shortest of several says most.", map[string][]string{"a": {"b", "z"}, "b": {"c"}, "c": {"a"}, "z": {"a"}}, "a → z → a"},
		"Elsewhere": {"Others' cycles are theirs.", map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b"}}, ""},
		"Diamond":   {"Two ways to one are no circle.", map[string][]string{"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}, ""},
	} {
		if got := CycleText(Cycle("a", tc.on)); got != tc.want {
			t.Errorf("%s: %s\ngot %q, want %q", name, tc.reason, got, tc.want)
		}
	}
}

// inOrder has every sync after all that it depends on, and by name where that leaves a choice. Those that are in a cycle, or
// behind one, are not in it: stuck has them, sorted. Dependencies that do not exist are taken for done.
func inOrder(dependsOn map[string][]string) (order, stuck []string) {
	done := map[string]bool{}
	rest := slices.Sorted(maps.Keys(dependsOn))

	for {
		at := slices.IndexFunc(rest, func(name string) bool {
			return !slices.ContainsFunc(dependsOn[name], func(d string) bool {
				_, exists := dependsOn[d]

				return exists && !done[d]
			})
		})
		if at < 0 {
			return order, rest
		}

		done[rest[at]] = true
		order = append(order, rest[at])
		rest = slices.Delete(rest, at, at+1)
	}
}

// TestOrder: everybody comes after those it depends on; who is left out depends on a circle; and Cycle finds one from
// somebody exactly when somebody is left out.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e"}
		on := map[string][]string{}
		for _, name := range names {
			on[name] = rapid.SliceOfN(rapid.SampledFrom(append([]string{"missing"}, names...)), 0, 2).Draw(t, name)
		}
		order, stuck := inOrder(on)
		if got := slices.Sorted(slices.Values(slices.Concat(order, stuck))); !slices.Equal(got, names) {
			t.Fatalf("%v and %v are not all", order, stuck)
		}
		for i, name := range order {
			for _, d := range on[name] {
				if at := slices.Index(order, d); d != "missing" && (at < 0 || at >= i) {
					t.Fatalf("%s comes before %s, which it depends on", name, d)
				}
			}
		}
		circles := 0
		for _, name := range names {
			c := Cycle(name, on)
			if c == nil {
				continue
			}
			circles++
			if !slices.Contains(stuck, name) {
				t.Fatalf("%s is in a circle and in the order", name)
			}
			for i := range len(c) - 1 {
				if !slices.Contains(on[c[i]], c[i+1]) {
					t.Fatalf("%v is no circle", c)
				}
			}
		}
		if (circles > 0) != (len(stuck) > 0) {
			t.Fatalf("%d circles, and %v are stuck", circles, stuck)
		}
	})
}
