package statement

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

const (
	day   = 24 * time.Hour
	month = 30 * day // of November
)

// TestClosesAMonthOnce: it waits for what is not charged, writes once, and then neither writes nor reads.
func TestClosesAMonthOnce(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 1000)
	s.do(begin.Add(2*day), book.Grant{ID: "free:2026-11", Lot: book.Lot{ID: "free", Left: rupiah(50), Expires: begin.Add(month).Unix()}})
	s.use(3*day, "TenantContainer/web/u1", 20)
	s.use(4*day, "TenantContainer/db/u2", 40)
	s.do(begin.Add(5*day), book.Adjust{ID: "a1", Amount: rupiah(3), Actor: "ada", Reason: "sorry"})
	list := &billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: "standard"}, Spec: billingv1.PriceListSpec{TaxNote: "Prices include 11% PPN."}}
	r := newRig(t, s, account(0), list)

	r.sweepAt(t, 10*day)
	s.use(month-time.Hour, "TenantContainer/web/u1", 1)
	// The first payment of December is in the ledger before the last hour of November, as it goes.
	s.late = begin.Add(month).Unix()
	r.sweepAt(t, month+time.Minute)
	if len(r.statements(t)) != 0 || testutil.ToFloat64(r.metrics.waiting) != 1 {
		t.Fatalf("what is not charged is on a statement: %+v", r.statements(t))
	}
	s.late = 0
	s.pay(month+time.Minute, "o2", 7)
	r.sweepAt(t, month+10*time.Minute)

	last := s.items[len(s.items)-2].Entry
	want := billingv1.StatementSpec{
		From: at(begin.Unix()), To: at(begin.Add(month).Unix()), Currency: "IDR",
		Opening: "0.000000", PaidIn: "1000.000000", Given: "50.000000", Adjusted: "3.000000", Used: "61.000000", Waived: "0.000000", Closing: "992.000000",
		ByType: []billingv1.StatementSum{
			{Name: "Adjustment", Amount: "3.000000"}, {Name: "Grant", Amount: "50.000000"},
			{Name: "TopUp", Amount: "1000.000000"}, {Name: "Usage", Amount: "-61.000000"},
		},
		ByMeter: []billingv1.StatementSum{{Name: "cpu", Amount: "61.000000"}},
		ByWorkload: []billingv1.StatementSum{
			{Name: "TenantContainer/db/u2", Amount: "40.000000"}, {Name: "TenantContainer/web/u1", Amount: "21.000000"},
		},
		FirstSequence: 1, LastSequence: last.Seq, LastHash: last.Hash, TaxNote: "Prices include 11% PPN.",
	}
	if diff := cmp.Diff(want, r.statement(t, "2026-11")); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}

	reads := s.reads
	for range 10 {
		r.sweepAt(t, month+time.Hour)
	}
	if r.creates != 1 || s.reads != reads {
		t.Errorf("%d statements were created, and the ledger was read %d more times", r.creates, s.reads-reads)
	}
}

// TestNamesake: a tenant that was made under the name of one that is gone learns nothing of that one.
func TestNamesake(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 1000)
	s.do(begin.Add(5*day), book.Adjust{ID: "a1", Amount: -rupiah(1000), Actor: "ada", Reason: "closed"})
	s.pay(12*day, "o2", 70)
	made := begin.Add(10 * day)
	r := newRig(t, s, account(0), &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: tenant, CreationTimestamp: metav1.NewTime(made)}})

	r.sweepAt(t, month+time.Minute)

	got := r.statement(t, "2026-11")
	if got.From.Unix() != made.Unix() || got.Opening != "0.000000" || got.PaidIn != "70.000000" || got.Adjusted != "0.000000" || got.FirstSequence != 3 {
		t.Errorf("the statement begins with what somebody else did: %+v", got)
	}
	r.sweepAt(t, 2*month+2*day)
	if got := r.statement(t, "2026-12"); got.Opening != "70.000000" {
		t.Errorf("the next one opens with %s", got.Opening)
	}
}

// TestNamesakeOfTheSameProcess: what was found out about the one that is gone says nothing about the other.
func TestNamesakeOfTheSameProcess(t *testing.T) {
	named := func(uid types.UID, made time.Time) []client.Object {
		a := account(0)
		a.UID = uid

		return []client.Object{a, &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: tenant, CreationTimestamp: metav1.NewTime(made)}}}
	}
	s := newShelf(t)
	s.pay(day, "o1", 1000)
	before, after := named("a-1", begin), named("a-2", begin.Add(10*day))
	r := newRig(t, s, before...)
	r.sweepAt(t, 2*day)

	for i := range before {
		if err := errors.Join(r.client.Delete(t.Context(), before[i]), r.client.Create(t.Context(), after[i])); err != nil {
			t.Fatal(err)
		}
	}
	s.do(begin.Add(5*day), book.Adjust{ID: "a1", Amount: -rupiah(1000), Actor: "ada", Reason: "closed"})
	s.pay(12*day, "o2", 70)
	r.sweepAt(t, month+time.Minute)

	if got := r.statement(t, "2026-11"); got.From.Unix() != begin.Add(10*day).Unix() || got.PaidIn != "70.000000" {
		t.Errorf("the statement begins with what somebody else did: %+v", got)
	}
}

// TestCatchesUp: months that nobody closed are closed one after the other, those without an entry among them.
func TestCatchesUp(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 100)
	s.use(2*day, "TenantContainer/web/u1", 1)
	s.use(100*day, "TenantContainer/web/u1", 2)
	r := newRig(t, s, account(7))
	r.sweepAt(t, 130*day)
	var names []string
	closing := "0.000000"
	for _, st := range r.statements(t) {
		names = append(names, st.Name)
		if st.Spec.Opening != closing {
			t.Errorf("%s opens with %s, the month before closed with %s", st.Name, st.Spec.Opening, closing)
		}
		closing = st.Spec.Closing
	}
	if diff := cmp.Diff([]string{"2026-11", "2026-12", "2027-01", "2027-02"}, names); diff != "" {
		t.Error(diff)
	}
	if closing != "97.000000" || r.statement(t, "2026-12").FirstSequence != 0 {
		t.Errorf("the last closes with %s; December is %+v", closing, r.statement(t, "2026-12"))
	}
}

// TestExpiryBelongsToItsMonth: what was given for a month and not used is gone at its end, on its own statement.
func TestExpiryBelongsToItsMonth(t *testing.T) {
	s := newShelf(t)
	end := begin.Add(month)
	s.do(begin.Add(time.Hour), book.Grant{ID: "free:2026-11", Lot: book.Lot{ID: "free", Left: rupiah(50), Expires: end.Unix()}})
	s.use(month-time.Hour, "TenantContainer/web/u1", 20)
	s.do(end.Add(time.Minute), book.Expire{Lot: "free"})
	r := newRig(t, s, account(0))
	r.sweepAt(t, month+time.Hour)
	if got := r.statement(t, "2026-11"); got.Given != "20.000000" || got.Used != "20.000000" || got.Closing != "0.000000" {
		t.Errorf("given %s, used %s, closes with %s", got.Given, got.Used, got.Closing)
	}
}

// TestOffsetThatMoves: the next month begins when the last one ended.
func TestOffsetThatMoves(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 100)
	moved := account(7)
	r := newRig(t, s, moved)
	r.sweepAt(t, 31*day)
	moved.Spec.UTCOffsetHours = -5
	if err := r.client.Update(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	r.sweepAt(t, 70*day)
	november, december := r.statement(t, "2026-11"), r.statement(t, "2026-12")
	if !november.To.Equal(&december.From) || december.To.UTC() != time.Date(2027, 1, 1, 5, 0, 0, 0, time.UTC) {
		t.Errorf("November ends %s, December is from %s to %s", november.To, december.From, december.To)
	}
}

// TestWritesAgainWhatIsDeleted: a statement in between, and the last, come back with the same contents.
func TestWritesAgainWhatIsDeleted(t *testing.T) {
	for _, name := range []string{"2026-12", "2027-01"} {
		s := newShelf(t)
		for i := range int64(3) {
			s.pay(time.Duration(i)*31*day+day, fmt.Sprintf("o%d", i), 10+i)
			s.use(time.Duration(i)*31*day+2*day, "TenantContainer/web/u1", 1)
		}
		r := newRig(t, s, account(7))
		r.sweepAt(t, 95*day)
		before := r.statement(t, name)
		if err := r.client.Delete(t.Context(), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: name}}); err != nil {
			t.Fatal(err)
		}
		r.sweepAt(t, 95*day+time.Hour)
		if diff := cmp.Diff(before, r.statement(t, name)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

// TestContradictions: what does not follow from the month before is not written, and neither is what stands there already
// with other sums.
func TestContradictions(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 100)
	wrong := billingv1.StatementSpec{
		From: at(begin.Unix()), To: at(begin.Add(month).Unix()), Currency: "IDR", Opening: "0.000000", Closing: "99.000000",
	}
	r := newRig(t, s, account(0), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "2026-11"}, Spec: wrong})
	r.now = begin.Add(70 * day)
	if err := r.Sweep(t.Context()); !errors.Is(err, errContradiction) || r.creates != 0 || testutil.ToFloat64(r.metrics.failing) != 1 {
		t.Errorf("%v, %d created", err, r.creates)
	}

	// A cache that is behind: the statement is there, and the same or not.
	for sum, want := range map[string]error{"100.000000": nil, "1.000000": errContradiction} {
		r := newRig(t, s, account(0))
		r.sweepAt(t, 31*day)
		there := r.statements(t)[0]
		spec := there.Spec
		spec.Closing = sum
		err := r.write(t.Context(), account(0), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "2026-11"}, Spec: spec})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", sum, err)
		}
	}
}

// TestManyWorkloads: 256 are named, those that cost most, and the rest is one sum.
func TestManyWorkloads(t *testing.T) {
	sums := map[string]money.Micro{}
	for i := range int64(300) {
		sums[fmt.Sprintf("TenantContainer/c%03d/u", i)] = rupiah(i)
	}
	got := byWorkload(sums)
	if len(got) != 257 || got[0].Amount != "299.000000" || got[256] != (billingv1.StatementSum{Name: others, Amount: rupiah(44 * 43 / 2).String()}) {
		t.Errorf("%d workloads, first %+v, last %+v", len(got), got[0], got[len(got)-1])
	}
}

// TestNobodyIsAsked: accounts without entries, being deleted, or of another name have no statements.
func TestNobodyIsAsked(t *testing.T) {
	r := newRig(t, newShelf(t), account(7))
	r.sweepAt(t, 100*day)

	s := newShelf(t)
	s.pay(day, "o1", 100)
	going := account(7)
	going.Finalizers, going.DeletionTimestamp = []string{billingv1.FinalizerAccount}, new(metav1.NewTime(begin))
	other := newRig(t, s, going)
	other.sweepAt(t, 100*day)
	if n := len(r.statements(t)) + len(other.statements(t)); n != 0 {
		t.Errorf("%d statements", n)
	}
}

// TestSumsHold (invariant 18): whatever happens, the sums of a month account for its balance, and one month closes with what
// the next opens with.
func TestSumsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newShelf(t)
		at := time.Duration(0)
		var paid []string
		for i := range rapid.IntRange(1, 30).Draw(rt, "operations") {
			at += time.Duration(rapid.Int64Range(2, 200).Draw(rt, "hours")) * time.Hour
			key, n := fmt.Sprintf("k%d", i), rapid.Int64Range(1, 500).Draw(rt, "amount")
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0:
				s.pay(at, key, n)
				paid = append(paid, key)
			case 1:
				s.do(begin.Add(at), book.Grant{ID: "grant:" + key, Lot: book.Lot{ID: key, Left: rupiah(n)}})
			case 2:
				s.do(begin.Add(at), book.Adjust{ID: key, Amount: -rupiah(n), Actor: "ada", Reason: "so"})
			case 3:
				if len(paid) > 0 {
					order := paid[0]
					paid = paid[1:]
					s.do(begin.Add(at), book.Reversal{Order: order, Transaction: "tx-" + order, Amount: s.orders[order].Credited})
				}
			case 4:
				s.do(begin.Add(at), book.Suspense{Order: key, Transaction: "tx", Amount: rupiah(n), Reason: "whose?"})
			default:
				s.use(at, "TenantContainer/web/u1", n)
			}
		}
		r := newRig(t, s, account(int32(rapid.IntRange(-12, 14).Draw(rt, "offset"))))
		r.sweepAt(t, at+62*day)
		var closing money.Micro
		for _, st := range r.statements(t) {
			sum := parse(t, st.Spec.Opening) + parse(t, st.Spec.PaidIn) + parse(t, st.Spec.Given) + parse(t, st.Spec.Adjusted) - parse(t, st.Spec.Used)
			if parse(t, st.Spec.Opening) != closing || sum != parse(t, st.Spec.Closing) {
				rt.Fatalf("%s follows %s: %+v", st.Name, closing, st.Spec)
			}
			closing = sum
		}
		if closing != s.state.Head.Balance() {
			rt.Fatalf("the last month closes with %s, the balance is %s", closing, s.state.Head.Balance())
		}
	})
}

func parse(t testing.TB, text string) money.Micro {
	t.Helper()
	m, err := money.Parse(text)
	if err != nil {
		t.Fatal(err)
	}

	return m
}

// TestArchives: once a day what is older than two months goes to a file, but never before its statement is there, and an
// entry that only ties an archive to the chain is not worth another one.
func TestArchives(t *testing.T) {
	s := newShelf(t)
	for i := range int64(4) {
		s.pay(time.Duration(i)*31*day+day, fmt.Sprintf("o%d", i), 10)
		s.use(time.Duration(i)*31*day+2*day, "TenantContainer/web/u1", 1)
	}
	r := newRig(t, s, account(0))
	r.o.ArchiveDir = "/somewhere"
	s.late = begin.Unix() + 1<<30
	r.sweepAt(t, 100*day) // February 2027: November may go.
	if len(s.archived) != 0 {
		t.Fatal("a month without its statement was archived")
	}
	if !strings.Contains(r.log.String(), "sequence=8") {
		t.Errorf("the last hash is not in the log:\n%s", r.log.String())
	}
	s.late = 0
	r.sweepAt(t, 100*day+time.Hour)
	r.sweepAt(t, 102*day)
	if diff := cmp.Diff([]int64{begin.Add(month).Unix()}, s.archived); diff != "" {
		t.Fatalf("archived: %s", diff)
	}
	if s.start.Seq != 2 || testutil.ToFloat64(r.metrics.archived) != 2 || testutil.ToFloat64(r.metrics.bytes.WithLabelValues("entry")) != 7 {
		t.Errorf("%d entries are archived", s.start.Seq)
	}

	// A new leader finds nothing to do, and the ledger goes on: statements of what is left are what they were.
	before := r.statement(t, "2027-01")
	if err := r.client.Delete(t.Context(), &billingv1.Statement{ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: "2027-01"}}); err != nil {
		t.Fatal(err)
	}
	r.keep.done, r.keep.last = map[string]int64{}, time.Time{}
	r.sweepAt(t, 103*day)
	if diff := cmp.Diff(before, r.statement(t, "2027-01")); diff != "" || len(s.archived) != 1 {
		t.Errorf("archived %d times\n%s", len(s.archived), diff)
	}

	// Years without anything: each archive leaves one entry, and no file is made for that.
	r.sweepAt(t, 250*day)
	r.sweepAt(t, 400*day)
	if len(s.items) != 1 || s.items[0].Entry.Type != book.TypeCheckpoint {
		t.Errorf("%d entries are left after %d archives", len(s.items), len(s.archived))
	}
}

// TestArchivesWhatNobodyHas: the ledger of a tenant that is gone is archived, too, without statements.
func TestArchivesWhatNobodyHas(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 10)
	r := newRig(t, s)
	r.o.ArchiveDir = "/somewhere"
	r.sweepAt(t, 100*day)
	if len(s.archived) != 1 {
		t.Errorf("archived %d times", len(s.archived))
	}
}

// TestLedgerThatMoves: items that do not begin where the balance ends are of another ledger than the one that was asked.
func TestLedgerThatMoves(t *testing.T) {
	s := newShelf(t)
	s.pay(day, "o1", 10)
	s.pay(2*day, "o2", 10)
	if _, _, err := build(tenant, span{"2026-11", 0, 1 << 40}, 0, following(s.Items(t.Context(), tenant, 2), s.start)); !errors.Is(err, errMoved) {
		t.Errorf("got %v", err)
	}
}
