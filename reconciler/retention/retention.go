// Package retention says which snapshots stay. It is pure.
//
// What holds: the newest that is good always stays, whatever the policy says, so that a policy never takes away the last state
// that something can be restored to. What is pinned stays, and counts for nothing. What has failed goes, unless nothing newer
// is good and it is the newest: then it tells why. Equal times are ordered by name, so that every pass says the same.
//
// Callers: reconciler/snapshotplan. It imports nothing.
package retention

import (
	"cmp"
	"slices"
	"time"
)

// Snapshot is one that there is.
type Snapshot struct {
	Name string
	// Time that it is of.
	Time time.Time
	// Good is true when it was verified; Failed when it never will be. Neither is one that is being made.
	Good, Failed bool
	// Pinned is true for one that something is being restored from, and for one that somebody has asked to keep.
	Pinned bool
}

// Policy says how many stay. The zero value keeps all.
type Policy struct {
	// Count is how many good ones stay, the newest; 0 means any number.
	Count int
	// Age is how old a good one may be; 0 means any age. With Count as well, one must be within both to stay.
	Age time.Duration
}

// Expired are the names of those to be removed, the oldest first.
func Expired(all []Snapshot, p Policy, now time.Time) []string {
	ordered := slices.SortedFunc(slices.Values(all), func(a, b Snapshot) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Name, a.Name))
	})

	var out []string
	good, failed := 0, 0
	for _, s := range ordered {
		switch {
		case s.Pinned || !s.Good && !s.Failed:
		case s.Good:
			if good++; good > 1 && (p.Count > 0 && good > p.Count || p.Age > 0 && now.Sub(s.Time) > p.Age) {
				out = append(out, s.Name)
			}
		default:
			if failed++; failed > 1 || good > 0 {
				out = append(out, s.Name)
			}
		}
	}
	slices.Reverse(out)

	return out
}
