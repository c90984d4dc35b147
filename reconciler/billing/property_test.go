package billing

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// life is an account to which things happen, and what a plain observer of it has noted.
type life struct {
	*shelf
	orders int
	told   map[string]bool
	// spent by month of the account, worked out from records.
	spent map[string]money.Micro
}

func drawTerms(t *rapid.T) Terms {
	changes := []func(*Terms){
		func(terms *Terms) { terms.Rate = rupiah(rapid.Int64Range(0, 300).Draw(t, "rate")) },
		plan(func(b *dogkerv1.BillingRules) {
			b.GracePeriodSeconds = new(rapid.SampledFrom([]int64{0, 600, 3600}).Draw(t, "grace"))
			b.Overdraft = rapid.SampledFrom([]dogkerv1.Rupiah{"", "0", "30"}).Draw(t, "overdraft")
			b.SuspendedStorage = rapid.SampledFrom([]dogkerv1.SuspendedStorage{"", dogkerv1.SuspendedStorageWaive}).Draw(t, "storage")
		}),
		account(func(a *billingv1.BillingAccountSpec) {
			a.UTCOffsetHours = rapid.Int32Range(-12, 14).Draw(t, "offset")
			if rapid.Bool().Draw(t, "budgeted") {
				a.Budget = &billingv1.Budget{
					MonthlyCap: billingv1.WholeAmount(strconv.FormatInt(rapid.Int64Range(1, 4000).Draw(t, "cap"), 10)),
					Action:     rapid.SampledFrom([]billingv1.BudgetAction{billingv1.BudgetWarn, billingv1.BudgetSuspend}).Draw(t, "action"),
				}
			}
		}),
	}

	return termsOf(changes...)
}

func (l *life) step(t *rapid.T) {
	before := l.state.Head
	var out book.Outcome
	switch rapid.SampledFrom([]string{"pass", "pass", "pass", "pass", "idle", "pay", "pay", "chargeback", "release", "rate"}).Draw(t, "step") {
	case "pass":
		left := 60 - (max(before.ChargedThrough+1, firstWindow))%60
		out = l.pass(t, rapid.Int64Range(1, left).Draw(t, "minutes"), rapid.Int64Range(0, 4).Draw(t, "cpus"), rapid.Int64Range(0, 3).Draw(t, "gib"))
	case "idle":
		l.now = l.now.Add(time.Duration(rapid.Int64Range(1, 20*24*60).Draw(t, "minutes")) * time.Minute)
		from, through := max(before.ChargedThrough+1, firstWindow), book.WindowAt(l.now)
		out = l.do(t, book.Charge{From: from, Through: through, Free: before.Free(from, through), PriceList: "p1", Settle: true})
	case "pay":
		l.orders++
		out = l.do(t, paid("o"+strconv.Itoa(l.orders), rapid.Int64Range(1, 600).Draw(t, "rupiah")))
	case "chargeback":
		order := "o" + strconv.Itoa(l.orders)
		if o := l.shelf.orders[order]; o.Credited == o.Returned {
			return
		}
		rest := l.shelf.orders[order].Free()
		out = l.do(t, book.Chargeback{Order: order, Cumulative: rest, Amount: rest})
	case "release":
		account(func(a *billingv1.BillingAccountSpec) { a.Hold = &billingv1.AccountHold{Reason: "Chargeback"} })(&l.terms)
		l.terms.Rules.Hold = true
		l.now = l.now.Add(time.Second)
		held := l.do(t, book.Review{})
		l.check(t, before, held)
		before = held.State.Head
		l.now = l.now.Add(time.Second)
		l.terms.Account.Spec.Hold, l.terms.Rules.Hold = nil, false
		out = l.do(t, book.Review{})
	case "rate":
		l.terms.Rate = rupiah(rapid.Int64Range(0, 300).Draw(t, "rate"))
		out = l.do(t, book.Review{})
	}
	l.check(t, before, out)
}

// check demands what holds after whatever has happened.
func (l *life) check(t *rapid.T, before book.Head, out book.Outcome) {
	h := out.State.Head
	for _, n := range out.Notices {
		if l.told[n.ID] {
			t.Fatalf("%+v is told twice", n)
		}
		l.told[n.ID] = true
	}
	was, is := solvency.Phase(before.Phase), solvency.Phase(h.Phase)
	standing := l.standing(t)
	switch {
	case h.Stopped == is.Runs():
		t.Fatalf("phase %s, stopped %v", is, h.Stopped)
	case h.Stopped && !before.Stopped && h.AccruedTotal() != 0:
		t.Fatalf("it stops with %s that is not settled", h.AccruedTotal())
	case was != "" && !was.Runs() && is.Runs() && h.Available() < solvency.Cost(standing.Facts.Rate, l.terms.Rules.MinRunway):
		t.Fatalf("it runs again with %s at %s an hour", h.Available(), standing.Facts.Rate)
	case standing.Chargeback && is != solvency.Held:
		t.Fatalf("money was charged back, and it is %s", is)
	case len(h.State) > 2<<10:
		t.Fatalf("the state has %d bytes", len(h.State))
	}
	l.checkSpent(t, before, out, standing)

	// Another look at the same moment finds nothing to do. What a stop has waived is not spent, which the next look sees.
	if slices.ContainsFunc(out.Entries, func(e book.Entry) bool { return e.Waived > 0 }) {
		out = l.look(t, out.State)
		h = out.State.Head
		if h.Stopped != l.state.Head.Stopped {
			t.Fatalf("what was waived makes it run: %s", h.Encode())
		}
	}
	again := l.look(t, out.State)
	if len(again.Notices) > 0 || string(again.State.Head.Encode()) != string(h.Encode()) {
		t.Fatalf("looked at again it tells %v\n%s\n%s", again.Notices, h.Encode(), again.State.Head.Encode())
	}
}

// look decides about a state once more, and keeps nothing of it.
func (l *life) look(t *rapid.T, s book.State) book.Outcome {
	out, err := book.Apply(s, book.Review{}, l.terms.Decide(func() time.Time { return l.now }), l.now)
	if err != nil {
		t.Fatalf("%v", err)
	}

	return out
}

// checkSpent works out what a month has come to from what each step has charged and waived.
func (l *life) checkSpent(t *rapid.T, before book.Head, out book.Outcome, standing Standing) {
	h := out.State.Head
	month := standing.Month
	if h.ChargedThrough > before.ChargedThrough {
		month = Month(l.terms.Account, time.Unix(book.WindowStart(h.ChargedThrough), 0))
	}
	var drawn money.Micro
	for _, e := range out.Entries {
		if e.Type == book.TypeUsage {
			drawn -= e.Amount
		}
	}
	l.spent[month] += drawn + h.AccruedTotal() - before.AccruedTotal()
	if want := max(l.spent[standing.Month], 0); standing.Spent != want {
		t.Fatalf("%s was spent in %s, want %s", standing.Spent, standing.Month, want)
	}
}

// TestLives (invariants 11, 13, 14 and 16) lets things happen to accounts in any order.
func TestLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{shelf: newShelf(drawTerms(t)), told: map[string]bool{}, spent: map[string]money.Micro{}}
		// A window that is charged in its last second is charged in its own month; TestLateUse has the others.
		l.late = -time.Second
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			l.step(t)
		}
	})
}

// TestStateSurvives: what is written is read as it was, and nothing else is read.
func TestStateSurvives(t *testing.T) {
	s := newShelf(termsOf())
	s.do(t, paid("o1", 100))
	s.pass(t, 30, 1, 1)
	stored := s.state.Head.State
	if got := stateOf(t, stored).encode(); string(got) != string(stored) {
		t.Errorf("%s was read as %s", stored, got)
	}
	if got := stateOf(t, nil); got.Version != stateVersion || got.Phase != "" {
		t.Errorf("the state of nothing is %+v", got)
	}
	for _, bad := range []string{`{}`, `{"v":2}`, `{"v":1,"mood":"sad"}`, `[]`, `{"v":1,"storage":5}`} {
		if s, err := decodeState([]byte(bad)); err == nil {
			t.Errorf("%s is read as %+v", bad, s)
		}
	}
}

// TestRules: what plan and account say counts, and what they do not say, or nobody can read, is the default.
func TestRules(t *testing.T) {
	if got := termsOf().Rules; !slices.Equal(got.Warnings, defaultWarnings()) || got.GracePeriod != time.Hour || got.MinRunway != time.Hour || got.Hold || got.Close {
		t.Errorf("without a word: %+v", got)
	}
	got := termsOf(
		plan(func(b *dogkerv1.BillingRules) {
			b.GracePeriodSeconds, b.MinRunwaySeconds, b.Overdraft = new(int64(60)), 120, "5000"
		}),
		account(func(a *billingv1.BillingAccountSpec) {
			a.Warnings = billingv1.Warnings{Runways: []billingv1.Runway{"30m", "72h", "", "soon", "30m"}, Balance: "1000"}
			a.Budget = &billingv1.Budget{MonthlyCap: "70000", Action: billingv1.BudgetSuspend}
			a.Hold = &billingv1.AccountHold{Reason: "Abuse"}
		}),
	).Rules
	if !slices.Equal(got.Warnings, []time.Duration{72 * time.Hour, 30 * time.Minute}) || got.Floor != rupiah(1000) || got.MonthlyCap != rupiah(70_000) ||
		!got.CapSuspends || !got.Hold || got.GracePeriod != time.Minute || got.MinRunway != 2*time.Minute || got.Overdraft != rupiah(5000) {
		t.Errorf("%+v", got)
	}
}
