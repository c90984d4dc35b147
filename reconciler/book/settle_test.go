package book

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/money"
)

// TestBegin: what is open is never added to by a settlement that came later, however long nothing was used in between: the
// use of a month's last day is no part of the next month.
func TestBegin(t *testing.T) {
	const day = 24 * windowsPerHour
	begun := func(c Charge, minutes int64) Charge { c.Begin = firstWindow + minutes; return c }
	type span struct{ From, Through int64 }
	cases := map[string]struct {
		reason string
		charge Charge
		want   []span
	}{
		"SameSettlement": {
			reason: "It goes on in the settlement in which it began.",
			charge: begun(Charge{
				From: firstWindow + 30, Since: firstWindow + 90, Through: firstWindow + 99, PriceList: "p1",
				Lines: []Line{hours("web", money.CPU, 1, 60)},
			}, 0),
		},
		"NextDay": {
			reason: "Of the day before all was used; nobody has settled it because nothing ran at its end.",
			charge: begun(Charge{
				From: firstWindow + 30, Since: firstWindow + day + 5, Through: firstWindow + day + 9, PriceList: "p1",
				Lines: []Line{hours("web", money.CPU, 1, 60)},
			}, day), want: []span{{firstWindow, firstWindow + 29}},
		},
		"Nothing": {
			reason: "Nor does it wait for somebody to use something.",
			charge: begun(Charge{From: firstWindow + 30, Through: firstWindow + day + 9, PriceList: "p1"}, day),
			want:   []span{{firstWindow, firstWindow + 29}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf().must(t, paid("o1", 1000), charge(0, 30, hours("web", money.CPU, 1, 60)))
			s.must(t, tc.charge)
			var got []span
			for _, e := range s.entries {
				if e.Type == TypeUsage {
					got = append(got, span{e.From, e.Through})
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			checkShelf(t, s)
		})
	}

	late := begun(charge(0, 10, hours("web", money.CPU, 1, 60)), 5)
	if _, err := newShelf().do(late); !errors.Is(err, ErrInvalid) {
		t.Errorf("a settlement that begins behind its first use: %v", err)
	}
}

// TestAccruedIsAddedUp: no use is taken that makes the sum of what is not settled wrap around, however much was paid.
func TestAccruedIsAddedUp(t *testing.T) {
	const much = 6_000_000_000_000
	s := newShelf().must(t, paid("o1", 9_000_000_000_000))
	_, err := s.do(charge(0, 1, hours("web", money.CPU, 1, much), hours("web", money.Memory, 1, much)))
	if !errors.Is(err, money.ErrOverflow) {
		t.Errorf("the ledger takes twice %d rupiah: %v", int64(much), err)
	}
	s.must(t, charge(0, 1, hours("web", money.CPU, 1, much)))
	checkShelf(t, s)
}
