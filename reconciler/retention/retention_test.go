package retention_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/retention"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func good(name string, days int) retention.Snapshot {
	return retention.Snapshot{Name: name, Time: now.AddDate(0, 0, -days), Good: true}
}

func bad(name string, days int) retention.Snapshot {
	return retention.Snapshot{Name: name, Time: now.AddDate(0, 0, -days), Failed: true}
}

func making(name string) retention.Snapshot { return retention.Snapshot{Name: name, Time: now} }

func pinned(s retention.Snapshot) retention.Snapshot {
	s.Pinned = true

	return s
}

func TestExpired(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		all    []retention.Snapshot
		policy retention.Policy
		want   []string
	}{
		"KeepsAll":       {"No policy takes nothing away.", []retention.Snapshot{good("a", 900), good("b", 1)}, retention.Policy{}, nil},
		"Count":          {"The newest stay.", []retention.Snapshot{good("a", 3), good("c", 1), good("b", 2)}, retention.Policy{Count: 2}, []string{"a"}},
		"Age":            {"The old ones go.", []retention.Snapshot{good("a", 3), good("b", 2), good("c", 1)}, retention.Policy{Age: 36 * time.Hour}, []string{"a", "b"}},
		"Both":           {"One must be within both.", []retention.Snapshot{good("a", 9), good("b", 2), good("c", 1)}, retention.Policy{Count: 2, Age: 36 * time.Hour}, []string{"a", "b"}},
		"LastOne":        {"The last good one stays however old it is.", []retention.Snapshot{good("a", 900)}, retention.Policy{Count: 1, Age: time.Hour}, nil},
		"LastGoodOne":    {"Newer ones that failed do not count.", []retention.Snapshot{good("a", 9), bad("b", 2), bad("c", 1)}, retention.Policy{Count: 1}, []string{"b"}},
		"FailedBefore":   {"What failed before a good one has nothing to tell any more.", []retention.Snapshot{bad("a", 2), good("b", 1)}, retention.Policy{}, []string{"a"}},
		"BeingMade":      {"What is being made is neither good nor bad.", []retention.Snapshot{good("a", 2), good("b", 1), making("c")}, retention.Policy{Count: 1}, []string{"a"}},
		"Pinned":         {"What is pinned stays, and takes nobody's place.", []retention.Snapshot{pinned(good("a", 3)), good("b", 2), good("c", 1)}, retention.Policy{Count: 2}, nil},
		"PinnedFailed":   {"Whatever it is.", []retention.Snapshot{pinned(bad("a", 3)), good("c", 1)}, retention.Policy{Count: 1}, nil},
		"SameTime":       {"Names decide between equal times.", []retention.Snapshot{good("b", 1), good("a", 1)}, retention.Policy{Count: 1}, []string{"a"}},
		"ClockWentBack":  {"One of the future is young.", []retention.Snapshot{good("a", -2), good("b", -1)}, retention.Policy{Age: time.Hour}, nil},
		"NothingAtAll":   {"Of nothing nothing goes.", nil, retention.Policy{Count: 1}, nil},
		"OnlyFailedOnes": {"The newest tells why.", []retention.Snapshot{bad("a", 2), bad("b", 1)}, retention.Policy{}, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, retention.Expired(c.all, c.policy, now)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// TestNeverTheLast wants one good snapshot to stay, nothing that is pinned or being made to go, the order of the list to mean
// nothing, and a second pass to find nothing.
func TestNeverTheLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []retention.Snapshot
		for i := range rapid.IntRange(0, 12).Draw(t, "n") {
			s := retention.Snapshot{Name: fmt.Sprint(i), Time: now.Add(-time.Duration(rapid.IntRange(-5, 50).Draw(t, "hours")) * time.Hour)}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				s.Failed = true
			case 1:
			default:
				s.Good = true
			}
			s.Pinned = rapid.IntRange(0, 4).Draw(t, "pinned") == 0
			all = append(all, s)
		}
		p := retention.Policy{Count: rapid.IntRange(0, 4).Draw(t, "count"), Age: time.Duration(rapid.IntRange(0, 30).Draw(t, "age")) * time.Hour}

		gone := retention.Expired(all, p, now)
		if diff := cmp.Diff(gone, retention.Expired(rapid.Permutation(all).Draw(t, "order"), p, now)); diff != "" {
			t.Fatalf("in another order something else goes:\n%s", diff)
		}

		var left []retention.Snapshot
		hadGood, hasGood := false, false
		for _, s := range all {
			hadGood = hadGood || s.Good
			if slices.Contains(gone, s.Name) {
				if s.Pinned || !s.Good && !s.Failed {
					t.Fatalf("%+v goes", s)
				}
				continue
			}
			left = append(left, s)
			hasGood = hasGood || s.Good
		}
		if hadGood && !hasGood {
			t.Fatalf("no good one is left of %+v by %+v", all, p)
		}
		if again := retention.Expired(left, p, now); len(again) > 0 {
			t.Fatalf("a second pass takes %v", again)
		}
	})
}
