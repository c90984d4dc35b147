package billing

import (
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// start is a whole hour, and firstWindow the window that begins there. It is 17:00 where accounts are.
var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

var firstWindow = book.WindowAt(start)

func rupiah(n int64) money.Micro { return money.Micro(n) * money.Rupiah }

// termsOf are those of a tenant that declares one vCPU at 60 rupiah an hour.
func termsOf(changes ...func(*Terms)) Terms {
	t := Terms{
		Tenant:    &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}},
		Plan:      &dogkerv1.Plan{Spec: dogkerv1.PlanSpec{PriceListName: "p1"}},
		PriceList: &billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: "p1"}},
		Prices:    map[money.Meter]money.Micro{money.CPU: rupiah(60), money.Storage: rupiah(6)},
		Rate:      rupiah(60),
	}
	for _, change := range changes {
		change(&t)
	}
	t.Rules = RulesOf(t.Tenant, t.Plan, t.Account)

	return t
}

// account changes what its owner says.
func account(change func(*billingv1.BillingAccountSpec)) func(*Terms) {
	return func(t *Terms) {
		if t.Account == nil {
			t.Account = &billingv1.BillingAccount{Spec: billingv1.BillingAccountSpec{UTCOffsetHours: 7}}
		}
		change(&t.Account.Spec)
	}
}

// plan changes what its owner says.
func plan(change func(*dogkerv1.BillingRules)) func(*Terms) {
	return func(t *Terms) {
		if t.Plan.Spec.Billing == nil {
			t.Plan.Spec.Billing = &dogkerv1.BillingRules{}
		}
		change(t.Plan.Spec.Billing)
	}
}

// shelf keeps the books of one tenant in memory, and decides about everything.
type shelf struct {
	state  book.State
	orders map[string]book.Order
	now    time.Time
	terms  Terms
	// late is how long after its end a window is charged.
	late time.Duration
}

func newShelf(terms Terms) *shelf {
	return &shelf{state: book.State{Head: book.NewHead("acme")}, orders: map[string]book.Order{}, now: start, terms: terms, late: time.Minute}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// do applies an operation and returns what came of it.
func (s *shelf) do(t fataler, op book.Op) book.Outcome {
	t.Helper()
	if c, ok := op.(book.Charge); ok {
		c.Floor = s.terms.Floor(s.state.Head)
		op = c
	}
	s.state.Order = s.orders[book.OrderOf(op, s.state.Head)]
	out, err := book.Apply(s.state, op, s.terms.Decide(func() time.Time { return s.now }), s.now)
	if err != nil {
		t.Fatalf("%#v: %v", op, err)
	}
	s.state = out.State
	if out.State.Order.ID != "" {
		s.orders[out.State.Order.ID] = out.State.Order
	}

	return out
}

// pass charges so many minutes, in which so many vCPUs and GiB of volumes were used, as late as windows are charged.
func (s *shelf) pass(t fataler, minutes, cpus, gib int64) book.Outcome {
	t.Helper()
	from := max(s.state.Head.ChargedThrough+1, firstWindow)
	c := book.Charge{From: from, Through: from + minutes - 1, PriceList: "p1"}
	c.Free = s.state.Head.Free(c.From, c.Through)
	c.Settle = book.LastOfHour(c.Through)
	if cpus > 0 && c.Free != c.Through {
		c.Lines = append(c.Lines, book.Line{Workload: "web", Meter: money.CPU, Quantity: cpus * 1_000_000_000, Seconds: 60 * (c.Through - max(c.Free, from-1)), Price: rupiah(60)})
	}
	if gib > 0 {
		c.Lines = append(c.Lines, book.Line{Workload: "disk", Meter: money.Storage, Quantity: gib << 30, Seconds: 60 * minutes, Price: rupiah(6)})
	}
	s.now = time.Unix(book.WindowEnd(c.Through), 0).Add(s.late)

	return s.do(t, c)
}

func (s *shelf) standing(t fataler) Standing {
	t.Helper()
	got, err := s.terms.Standing(s.state.Head, s.now)
	if err != nil {
		t.Fatalf("%v", err)
	}

	return got
}

func paid(order string, whole int64) book.TopUp {
	return book.TopUp{Order: order, Transaction: "tx-" + order, Amount: rupiah(whole)}
}

// told are the IDs of notices.
func told(out book.Outcome) []string {
	var ids []string
	for _, n := range out.Notices {
		ids = append(ids, n.ID)
	}

	return ids
}

func stateOf(t testing.TB, raw json.RawMessage) state {
	t.Helper()
	s, err := decodeState(raw)
	if err != nil {
		t.Fatal(err)
	}

	return s
}
