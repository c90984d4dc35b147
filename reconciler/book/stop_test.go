package book

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/money"
)

// runs and stops are decisions of whoever thinks of nothing else.
func runs(Head, Outcome) Decision { return Decision{Phase: "Active"} }

func stops(floor money.Micro) Decide {
	return func(Head, Outcome) Decision { return Decision{Phase: "Suspended", Stopped: true, Floor: floor} }
}

// decide applies an operation with a decision.
func (s *shelf) decide(t testing.TB, op Op, decide Decide) Outcome {
	t.Helper()
	out, err := s.doAnd(op, decide)
	if err != nil {
		t.Fatalf("%#v: %v", op, err)
	}

	return out
}

// free is a charge that knows what is free.
func (s *shelf) free(c Charge) Charge {
	c.Free = s.state.Head.Free(c.From, c.Through)

	return c
}

// TestStop: what was used until an account stops is settled in the same outcome, down to the floor, whichever operation
// stops it.
func TestStop(t *testing.T) {
	web := hours("web", money.CPU, 1, 30)
	cases := map[string]struct {
		reason string
		before []Op
		op     Op
		types  []Type
		want   balances
	}{
		"ByUse": {
			reason: "The charge that empties an account settles it.",
			before: []Op{paid("o1", 40), charge(0, 1, web)}, op: charge(1, 1, web),
			types: []Type{TypeUsage, TypeWaiver}, want: balances{Paid: -rupiah(5), Available: -rupiah(5)},
		},
		"ByAReversal": {
			reason: "The money never came; what was used is charged down to the floor.",
			before: []Op{paid("o1", 40), charge(0, 1, web)}, op: Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(40)},
			types: []Type{TypeReversal, TypeUsage, TypeWaiver}, want: balances{Paid: -rupiah(5), Available: -rupiah(5)},
		},
		"ByTime": {
			reason: "Grace can end without a movement.",
			before: []Op{paid("o1", 40), charge(0, 1, web)}, op: Review{},
			types: []Type{TypeUsage}, want: balances{Paid: rupiah(10), Available: rupiah(10)},
		},
		"AtTheEndOfAnHour": {
			reason: "What the charge has settled by itself is not settled again.",
			before: []Op{paid("o1", 40)}, op: settled(charge(0, 60, web), -rupiah(5)),
			types: []Type{TypeUsage}, want: balances{Paid: rupiah(10), Available: rupiah(10)},
		},
		"WithNothingUsed": {reason: "There is nothing to settle.", before: []Op{paid("o1", 40)}, op: Review{}, want: balances{Paid: rupiah(40), Available: rupiah(40)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf().must(t, c.before...)
			out := s.decide(t, c.op, stops(-rupiah(5)))
			var types []Type
			for _, e := range out.Entries {
				types = append(types, e.Type)
			}
			if !slices.Equal(types, c.types) || balancesOf(s.state.Head) != c.want || !s.state.Head.Stopped {
				t.Errorf("%s\ngot %v, %+v", c.reason, types, balancesOf(s.state.Head))
			}
			checkShelf(t, s)
		})
	}
}

// TestFree: while an account does not run, volumes are charged and compute is not, and a charge that has not heard of it is
// refused.
func TestFree(t *testing.T) {
	web, disk := hours("web", money.CPU, 1, 30), hours("disk", money.Storage, 1, 2)
	s := newShelf().must(t, paid("o1", 100))
	s.decide(t, charge(0, 10, web, disk), stops(0))
	for name, c := range map[string]struct {
		charge Charge
		err    error
	}{
		"Unaware":     {charge(10, 5, web, disk), ErrCutOver},
		"UsesCompute": {s.free(charge(10, 5, web, disk)), ErrInvalid},
		"WrongWindow": {func() Charge { c := charge(10, 5, disk); c.Free = c.Through - 1; return c }(), ErrCutOver},
	} {
		if _, err := s.do(c.charge); !errors.Is(err, c.err) {
			t.Errorf("%s: got %v, want %v", name, err, c.err)
		}
	}
	s.decide(t, s.free(charge(10, 5, disk)), stops(0))
	s.now = start.Add(20*time.Minute + 30*time.Second)
	s.decide(t, paid("o2", 50), runs)
	if h := s.state.Head; h.Stopped || h.Free(firstWindow+15, firstWindow+29) != firstWindow+20 || h.Free(firstWindow+21, firstWindow+29) != 0 {
		t.Errorf("it runs again in window %d: %+v", firstWindow+20, h)
	}
	// One charge over the moment at which it runs again has compute of the time after it.
	s.decide(t, s.free(charge(15, 15, web, disk)), runs)
	if got, want := s.state.Head.AccruedTotal(), rupiah(30+2+2); got != want {
		t.Errorf("%s accrued, want %s", got, want)
	}
	checkShelf(t, s)
}

// TestHeadBeforeStops: a head that was written before there was anything to say about stops reads as it was, and a head that
// never stopped is written as it was.
func TestHeadBeforeStops(t *testing.T) {
	const before = `{"v":1,"tenant":"acme","seq":1,"hash":"ab","epoch":1,"paid":"5.000000","chargedThrough":7,"period":{"hour":0,"part":0}}`
	h, err := DecodeHead([]byte(before))
	if err != nil || h.Stopped || h.Free(8, 9) != 0 || string(h.Encode()) != before {
		t.Errorf("%+v, %v", h, err)
	}
}

// spans is a model of what is free: who stopped behind which window, and ran again in which.
type spans []struct{ after, through int64 }

func (m spans) free(window int64) bool {
	for _, s := range m {
		if s.after < window && (s.through == 0 || window <= s.through) {
			return true
		}
	}

	return false
}

// TestFreeAgainstTheModel (invariant 13): however accounts stop and run again, and however late anybody charges, the windows
// that are free are those in which the account did not run, and they come before the others.
func TestFreeAgainstTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := newShelf(), spans{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			h := s.state.Head
			s.now = s.now.Add(time.Duration(rapid.Int64Range(0, 400).Draw(t, "seconds")) * time.Second)
			if rapid.Bool().Draw(t, "decides") {
				stopped := rapid.Bool().Draw(t, "stopped")
				if stopped && !h.Stopped {
					m = append(m, struct{ after, through int64 }{after: h.ChargedThrough})
				}
				if !stopped && h.Stopped {
					m[len(m)-1].through = WindowAt(s.now)
				}
				_, err := s.doAnd(Review{}, func(Head, Outcome) Decision { return Decision{Stopped: stopped} })
				if err != nil {
					t.Fatal(err)
				}
				continue
			}
			from := max(h.ChargedThrough+1, firstWindow)
			through := from + rapid.Int64Range(0, 30).Draw(t, "windows")
			last := h.Free(from, through)
			for w := from; w <= through; w++ {
				if (w <= last) != m.free(w) {
					t.Fatalf("window %d of %d to %d: free through %d, the model says %v", w, from, through, last, m.free(w))
				}
			}
			if _, err := s.do(Charge{From: from, Through: through, Free: last}); err != nil {
				t.Fatal(err)
			}
		}
	})
}
