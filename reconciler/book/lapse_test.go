package book

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/money"
)

func TestLapse(t *testing.T) {
	expiry := start.Add(time.Hour).Unix()

	cases := map[string]struct {
		reason string
		before []Op
		now    time.Time
		lapse  Lapse
		fails  error
		// through is the window that the entry belongs to; 0 for when it was written.
		through int64
	}{
		"Closing": {
			"A gift without an end goes when its account does.",
			[]Op{paid("o1", 100), gift("g", 50, 0, "")}, start, Lapse{"g", "The account is closed."}, nil, 0,
		},
		"Idle": {
			"One whose time is over goes although no charge has come that far, and belongs to its last minute.",
			[]Op{gift("g", 50, expiry, "")}, start.Add(3 * time.Hour), Lapse{"g", "Its time is over."}, nil, expiry/WindowSeconds - 1,
		},
		"Unsettled": {
			"What was used before may still be paid with it.",
			[]Op{gift("g", 50, 0, ""), charge(0, 1, hours("web", money.Replica, 1, 10))}, start, Lapse{"g", "The account is closed."}, ErrTooEarly, 0,
		},
		"Gone":     {"There is nothing to take.", nil, start, Lapse{"g", "The account is closed."}, ErrNotFound, 0},
		"NoReason": {"Whoever takes something says why.", []Op{gift("g", 50, 0, "")}, start, Lapse{Lot: "g"}, ErrInvalid, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf().must(t, tc.before...)
			s.now = tc.now
			paidBefore := s.state.Head.Paid

			out, err := s.do(tc.lapse)
			if !errors.Is(err, tc.fails) || (err == nil) != (tc.fails == nil) {
				t.Fatalf("%s\ngot %v, want %v", tc.reason, err, tc.fails)
			}
			if err != nil {
				return
			}

			if h := out.State.Head; h.Promo() != 0 || h.Paid != paidBefore || len(h.Lots) != 0 {
				t.Errorf("%s\nleft are %+v", tc.reason, h)
			}
			if e := out.Entries[0]; e.Type != TypeGrantExpiry || e.Amount != -50*money.Rupiah || e.Through != tc.through {
				t.Errorf("%s\nwritten was %+v", tc.reason, e)
			}

			r, err := replayAll(s.stored())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(out.State.Head.Balance(), r.Head().Balance()); diff != "" {
				t.Errorf("%s\nreplayed it is another balance:\n%s", tc.reason, diff)
			}
			if _, err := s.do(tc.lapse); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s\na second time it is %v", tc.reason, err)
			}
		})
	}
}
