package billing

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// TestLifeOfAnAccount is the whole story: paid, warned, in grace, stopped and settled in one, paid again and running.
func TestLifeOfAnAccount(t *testing.T) {
	s := newShelf(termsOf())
	steps := []struct {
		why   string
		do    func() book.Outcome
		phase solvency.Phase
		told  []string
	}{
		{"Money for three hours is little.", func() book.Outcome { return s.do(t, paid("o1", 180)) }, solvency.Low, []string{"PaymentReceived:1", "LowBalance:6h:1"}},
		{"An hour is warned of by itself.", func() book.Outcome { return s.pass(t, 60, 2, 0) }, solvency.Low, []string{"LowBalance:1h:1"}},
		{"Nothing new.", func() book.Outcome { return s.pass(t, 20, 1, 0) }, solvency.Low, nil},
		{"The money is gone.", func() book.Outcome { return s.pass(t, 40, 1, 0) }, solvency.Grace, []string{"GraceBegan::1"}},
		{"It runs on for a while.", func() book.Outcome { return s.pass(t, 30, 1, 0) }, solvency.Grace, nil},
		{"Grace is over.", func() book.Outcome { return s.pass(t, 30, 1, 0) }, solvency.Suspended, []string{"Suspended:1795352460:1"}},
		{"It is stopped and stays so.", func() book.Outcome { return s.pass(t, 10, 1, 0) }, solvency.Suspended, nil},
		{"A little is not enough, and it is said how much is missing.", func() book.Outcome { return s.do(t, paid("o2", 20)) }, solvency.Suspended, []string{"PaymentReceived:5", "ResumeShortfall::5"}},
		{"With money for an hour it runs.", func() book.Outcome { return s.do(t, paid("o3", 100)) }, solvency.Low, []string{"PaymentReceived:6", "Resumed:1795353060:6"}},
	}
	for _, step := range steps {
		out := step.do()
		if got := s.state.Head.Phase; got != string(step.phase) || s.state.Head.Stopped == step.phase.Runs() {
			t.Fatalf("%s The phase is %s, want %s", step.why, got, step.phase)
		}
		if diff := cmp.Diff(step.told, told(out)); diff != "" {
			t.Errorf("%s\n-want +got\n%s", step.why, diff)
		}
	}
	if h := s.state.Head; h.Paid != rupiah(60) || h.AccruedTotal() != 0 || h.Used != rupiah(240) {
		t.Errorf("180, 20 and 100 were paid, and 240 used: %+v", h)
	}
}

// TestNoticeData: a notice has what its text needs, and not more than whole rupiah where people are told what they have.
func TestNoticeData(t *testing.T) {
	s := newShelf(termsOf(account(func(a *billingv1.BillingAccountSpec) {
		a.Budget = &billingv1.Budget{MonthlyCap: "1000", Action: billingv1.BudgetWarn}
	})))
	s.do(t, paid("o1", 240))
	out := s.pass(t, 45, 4, 0)
	want := []book.Notice{{
		Tenant: "acme", ID: "LowBalance:1h:1", Kind: "LowBalance", Time: s.now.Unix(), Seq: 1,
		Data: map[string]string{
			"phase": "Low", "available": "60", "ratePerHour": "60.000000", "threshold": "1h", "runway": "1h0m0s",
			"depletesAt": "2026-11-22T11:46:00Z", "spent": "180.000000", "month": "2026-11", "monthlyCap": "1000.000000",
		},
	}}
	if diff := cmp.Diff(want, out.Notices); diff != "" {
		t.Error(diff)
	}
	for _, minutes := range []int64{15, 60} {
		out = s.pass(t, minutes, 4, 0)
	}
	var missing string
	for _, n := range out.Notices {
		if n.Kind == string(solvency.WasSuspended) {
			missing = n.Data[DataMissing]
		}
	}
	standing := s.standing(t)
	if missing == "" || missing != wholeUp(standing.Missing) || standing.Missing != rupiah(60)-s.state.Head.Available() {
		t.Errorf("%q is said to be missing, it is %s", missing, standing.Missing)
	}
}

// TestChargebackHolds: a chargeback stops the account in its own transaction, and only a person who takes spec.hold away
// lets it run again.
func TestChargebackHolds(t *testing.T) {
	s := newShelf(termsOf())
	s.do(t, paid("o1", 10_000))
	s.do(t, paid("o2", 50_000))
	out := s.do(t, book.Chargeback{Order: "o1", Cumulative: rupiah(10), Amount: rupiah(10)})
	if got := told(out); !slices.Contains(got, "ChargedBack:3") || s.state.Head.Phase != "Hold" || !s.state.Head.Stopped {
		t.Fatalf("told %v, phase %s", got, s.state.Head.Phase)
	}
	s.do(t, book.Review{})
	if got := s.standing(t); !got.Chargeback || got.Phase != solvency.Held {
		t.Errorf("nobody is asked to hold the account: %+v", got)
	}
	s.terms = termsOf(account(func(a *billingv1.BillingAccountSpec) { a.Hold = &billingv1.AccountHold{Reason: "Chargeback"} }))
	s.do(t, book.Review{})
	if got := s.standing(t); got.Chargeback || got.Phase != solvency.Held {
		t.Errorf("the account is held by now: %+v", got)
	}
	s.terms = termsOf()
	s.do(t, book.Review{})
	if got := s.standing(t); got.Phase != solvency.Active {
		t.Errorf("a person has let it run: %+v", got)
	}
}

// TestBudget: what counts is what was used in the account's own month, settled or not, and a new month begins at nothing.
func TestBudget(t *testing.T) {
	s := newShelf(termsOf(account(func(a *billingv1.BillingAccountSpec) {
		a.Budget = &billingv1.Budget{MonthlyCap: "200", Action: billingv1.BudgetSuspend}
	})))
	s.do(t, paid("o1", 100_000))
	s.pass(t, 60, 1, 0)
	out := s.pass(t, 30, 3, 0)
	if got := s.standing(t); got.Spent != rupiah(150) || !slices.Equal(told(out), []string{"BudgetReached:2026-11.75:1"}) {
		t.Errorf("spent %s, told %v", got.Spent, told(out))
	}
	s.pass(t, 30, 2, 0)
	if got := s.standing(t); got.Phase != solvency.BudgetCapped || got.Spent != rupiah(210) {
		t.Errorf("phase %s, spent %s", got.Phase, got.Spent)
	}
	s.now = time.Date(2026, 11, 30, 17, 0, 0, 0, time.UTC)
	s.do(t, book.Review{})
	if got := s.standing(t); got.Phase != solvency.Active || got.Spent != 0 || got.Month != "2026-12" {
		t.Errorf("in the new month: phase %s, spent %s in %s", got.Phase, got.Spent, got.Month)
	}
}

// TestLateUse: what is charged when its month is over belongs to that month.
func TestLateUse(t *testing.T) {
	s := newShelf(termsOf())
	s.do(t, paid("o1", 100_000))
	last := book.WindowAt(time.Date(2026, 11, 30, 16, 59, 0, 0, time.UTC))
	line := book.Line{Workload: "web", Meter: money.CPU, Quantity: 1_000_000_000, Seconds: 60, Price: rupiah(60)}
	for i, month := range []string{"2026-12", "2026-12"} {
		s.now = time.Unix(book.WindowEnd(last+int64(i))+17, 0)
		s.do(t, book.Charge{From: last + int64(i), Through: last + int64(i), PriceList: "p1", Lines: []book.Line{line}, Settle: i == 0})
		if got := s.standing(t); got.Month != month || got.Spent != rupiah(int64(i)) {
			t.Errorf("window %d: %s spent in %s", i, got.Spent, got.Month)
		}
	}
}

// TestLastHour: what the last whole hour has cost counts where it is more than what is declared, until the next is over.
func TestLastHour(t *testing.T) {
	s := newShelf(termsOf())
	s.do(t, paid("o1", 100_000))
	s.pass(t, 60, 5, 0)
	s.pass(t, 10, 1, 0)
	if got := s.standing(t).Facts.LastHour; got != rupiah(300) {
		t.Errorf("the last hour has cost %s", got)
	}
	s.now = start.Add(2*time.Hour + time.Minute)
	if got := s.standing(t).Facts.LastHour; got != rupiah(10) {
		t.Errorf("the hour after it has cost %s", got)
	}
	s.now = start.Add(3*time.Hour + time.Minute)
	if got := s.standing(t).Facts.LastHour; got != 0 {
		t.Errorf("an hour in which nothing was charged has cost %s", got)
	}
}

func TestFloor(t *testing.T) {
	stored := func(phase solvency.Phase, limit, storage int64) book.Head {
		s := state{Version: stateVersion, Storage: rupiah(storage)}
		s.Phase, s.GraceLimit = phase, rupiah(limit)

		return book.Head{Tenant: "acme", State: s.encode()}
	}
	waive := plan(func(b *dogkerv1.BillingRules) { b.SuspendedStorage = dogkerv1.SuspendedStorageWaive })
	cases := map[string]struct {
		reason string
		terms  Terms
		head   book.Head
		want   money.Micro
	}{
		"New":            {"What the grace period costs.", termsOf(), book.NewHead("acme"), -rupiah(60)},
		"Overdraft":      {"As the plan says.", termsOf(plan(func(b *dogkerv1.BillingRules) { b.Overdraft = "500" })), book.NewHead("acme"), -rupiah(500)},
		"NoOverdraft":    {"The plan allows no debt, and solvency takes nothing for not said.", termsOf(plan(func(b *dogkerv1.BillingRules) { b.Overdraft = "0" })), book.NewHead("acme"), -1},
		"NoGrace":        {"Without grace there is no debt.", termsOf(plan(func(b *dogkerv1.BillingRules) { b.GracePeriodSeconds = new(int64(0)) })), book.NewHead("acme"), 0},
		"InGrace":        {"The limit was fixed when grace began.", termsOf(), stored(solvency.Grace, 77, 0), -rupiah(77)},
		"Storage":        {"Volumes are kept for seven days on credit; an hour of them counts in an hour of grace, too.", termsOf(), stored(solvency.Active, 0, 10), -rupiah(60 + 10 + 7*24*10)},
		"StorageWaived":  {"They cost nothing while it is stopped.", termsOf(waive), stored(solvency.Active, 0, 10), -rupiah(60 + 10)},
		"NotUnderstood":  {"A state of another version leaves the rules.", termsOf(), book.Head{State: json.RawMessage(`{"v":99}`)}, -rupiah(60)},
		"StorageOfAKing": {"The largest amount there is stands for more.", termsOf(), stored(solvency.Grace, 1, 9_000_000_000_000), -(1<<63 - 1)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.terms.Floor(c.head); got != c.want {
				t.Errorf("%s\ngot %s, want %s", c.reason, got, c.want)
			}
		})
	}
}

// TestSuspendedStorage: volumes of an account that does not run go on costing, to the floor and no further.
func TestSuspendedStorage(t *testing.T) {
	s := newShelf(termsOf(plan(func(b *dogkerv1.BillingRules) { b.GracePeriodSeconds = new(int64(0)) })))
	s.do(t, paid("o1", 66))
	s.pass(t, 60, 1, 1)
	if s.state.Head.Paid != 0 || s.state.Head.Phase != "Suspended" {
		t.Fatalf("%+v", s.state.Head)
	}
	for range 10 * 24 {
		s.pass(t, 60, 1, 1)
	}
	if got, want := s.state.Head.Paid, -rupiah(7*24*6); got != want {
		t.Errorf("ten days of a volume at 6 rupiah an hour leave a debt of %s, want %s", got, want)
	}
}

// TestOtherDecisions: who is not billed is stopped by nothing, and what cannot be decided stays as it was. Of payments both
// are told.
func TestOtherDecisions(t *testing.T) {
	suspended := newShelf(termsOf(plan(func(b *dogkerv1.BillingRules) { b.GracePeriodSeconds = new(int64(0)) })))
	suspended.do(t, paid("o1", 1))
	suspended.pass(t, 60, 1, 0)
	newer := book.Head{Tenant: "acme", Version: 1, Phase: "Frozen", Stopped: true, State: json.RawMessage(`{"v":2}`)}
	cases := map[string]struct {
		reason string
		terms  Terms
		head   book.Head
		phase  string
		stops  bool
	}{
		"NotBilled":     {"Its plan has no prices any more.", termsOf(func(t *Terms) { t.Plan.Spec.PriceListName, t.PriceList = "", nil }), suspended.state.Head, "", false},
		"NotInEffect":   {"Its prices are gone for a moment, and not its debt.", termsOf(func(t *Terms) { t.PriceList = nil }), suspended.state.Head, "Suspended", true},
		"NotUnderstood": {"A newer version knows why.", termsOf(), newer, "Frozen", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShelf(c.terms)
			s.state.Head = c.head.Clone()
			out := s.do(t, paid("o9", 1_000_000))
			h := s.state.Head
			if h.Phase != c.phase || h.Stopped != c.stops || len(out.Notices) != 1 || out.Notices[0].Kind != PaymentReceived {
				t.Errorf("%s\nphase %q, stopped %v, told %v", c.reason, h.Phase, h.Stopped, told(out))
			}
			if c.phase != "" && string(h.State) != string(c.head.State) {
				t.Errorf("%s\nthe state became %s", c.reason, h.State)
			}
		})
	}
	if _, err := termsOf().Standing(newer, start); err == nil {
		t.Error("a state that is not understood is shown")
	}
}

// TestClosed: what a tenant that is being deleted has used is settled, and its account closed.
func TestClosed(t *testing.T) {
	s := newShelf(termsOf())
	s.do(t, paid("o1", 100))
	s.pass(t, 10, 6, 0)
	now := metav1.Now()
	s.terms = termsOf(func(t *Terms) { t.Tenant.DeletionTimestamp = &now })
	out := s.do(t, book.Review{})
	if h := s.state.Head; h.Phase != "Closed" || h.Paid != rupiah(40) || h.AccruedTotal() != 0 || len(out.Settled) != 1 {
		t.Errorf("%+v", h)
	}
}

// TestMovements: each movement is told once, by its number, with its amount.
func TestMovements(t *testing.T) {
	s := newShelf(termsOf())
	ops := []struct {
		op     book.Op
		id     string
		amount string
	}{
		{paid("o1", 500), "PaymentReceived:1", "500.000000"},
		{book.Grant{ID: "grant:w", Lot: book.Lot{ID: "grant:w", Left: rupiah(9), Order: "o1"}}, "GrantReceived:2", "9.000000"},
		{book.RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(100)}, "", ""},
		{book.RefundVoid{Refund: "r1"}, "RefundVoided:4", "100.000000"},
		{book.RefundHold{Refund: "r2", Order: "o1", Amount: rupiah(70)}, "", ""},
		{book.RefundPost{Refund: "r2", TakeBack: "grant:w"}, "RefundPosted:6", "70.000000"},
		{book.GatewayRefund{Order: "o1", Refund: "g1", Amount: rupiah(30)}, "RefundPosted:7", "30.000000"},
		{book.Suspense{Order: "o1", Transaction: "t2", Amount: rupiah(5), Reason: "twice"}, "", ""},
		{book.Adjust{ID: "a", Amount: -rupiah(800), Actor: "ada", Reason: "x"}, "BalanceAdjusted:9", "-800.000000"},
		{book.WriteOff{ID: "w", Actor: "ada", Reason: "x"}, "DebtWrittenOff:10", "400.000000"},
		{book.Reversal{Order: "o1", Transaction: "tx-o1", Amount: rupiah(50)}, "PaymentReversed:11", "50.000000"},
		{book.Chargeback{Order: "o1", Cumulative: rupiah(20), Amount: rupiah(20)}, "ChargedBack:12", "20.000000"},
	}
	for _, step := range ops {
		var id, amount string
		for _, n := range s.do(t, step.op).Notices {
			if n.Data[DataAmount] != "" {
				id, amount = n.ID, n.Data[DataAmount]
			}
		}
		if id != step.id || amount != step.amount {
			t.Errorf("%T is told as %q of %q, want %q of %q", step.op, id, amount, step.id, step.amount)
		}
	}
}
