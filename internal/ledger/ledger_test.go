package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// TestIdempotency (invariants 3 and 4): a key is good for one entry; the same request gives it again, another is a conflict
// and changes nothing. It does not matter who asks, and what is remembered by whom.
func TestIdempotency(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	first, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 100)})
	if err != nil || first.Replayed || len(first.Entries) != 1 {
		t.Fatalf("%+v, %v", first, err)
	}
	must(t, l, term, tenant, settled(charge(0, 1, cpu("web", 3600, 30)), 0))

	before := dump(t, client, tenant)
	for name, ledger := range map[string]*Ledger{"same": l, "other": New(client, func() time.Time { return start.Add(time.Hour) })} {
		again, err := ledger.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 100)})
		if err != nil || !again.Replayed || !cmp.Equal(again.Entries, first.Entries) || again.Head.Paid != rupiah(70) {
			t.Errorf("%s ledger: asked again: %+v, %v", name, again, err)
		}
		if _, err := ledger.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 101)}); !errors.Is(err, book.ErrConflict) {
			t.Errorf("%s ledger: asked for something else: %v", name, err)
		}
	}
	again, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: settled(charge(0, 1, cpu("web", 3600, 30)), 0), Term: term})
	if err != nil || !again.Replayed {
		t.Errorf("the same charge again: %+v, %v", again, err)
	}
	_, err = l.Do(t.Context(), book.Request{Tenant: tenant, Op: settled(charge(0, 1, cpu("web", 3600, 31)), 0), Term: term})
	if !errors.Is(err, book.ErrCharged) {
		t.Errorf("another charge of the same window: %v", err)
	}
	if diff := cmp.Diff(before, dump(t, client, tenant)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// TestFence (invariant 3): who led before writes nothing any more, whatever it believes and remembers.
func TestFence(t *testing.T) {
	client := openStore(t)
	tenant := newTenant()
	old, oldTerm := open(t, client)
	must(t, old, oldTerm, tenant, paid("o1", 100), charge(0, 1, cpu("web", 60, 30)))

	young, youngTerm := open(t, client)
	if youngTerm <= oldTerm {
		t.Fatalf("term %d follows term %d", youngTerm, oldTerm)
	}
	before := dump(t, client, tenant)
	for name, op := range map[string]book.Op{
		"charge": charge(1, 1, cpu("web", 60, 30)),
		"skip":   book.Skip{From: firstWindow + 1, Through: firstWindow + 1, Reason: "x"},
		"review": book.Review{},
	} {
		_, err := old.Do(t.Context(), book.Request{Tenant: tenant, Op: op, Term: oldTerm})
		if !errors.Is(err, book.ErrFenced) {
			t.Errorf("%s by the old leader: %v", name, err)
		}
		if _, err := old.Do(t.Context(), book.Request{Tenant: tenant, Op: op}); !errors.Is(err, book.ErrInvalid) {
			t.Errorf("%s by nobody: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, dump(t, client, tenant)); diff != "" {
		t.Errorf("the old leader has written:\n%s", diff)
	}
	// A payment needs no leader.
	must(t, old, 0, tenant, paid("o2", 1))
	must(t, young, youngTerm, tenant, charge(1, 1, cpu("web", 60, 30)))

	if _, err := client.Delete(t.Context(), termKey); err != nil {
		t.Fatal(err)
	}
	if _, err := young.Do(t.Context(), book.Request{Tenant: tenant, Op: charge(2, 1), Term: youngTerm}); !errors.Is(err, book.ErrFenced) {
		t.Errorf("the term was deleted by hand: %v", err)
	}
}

// TestClaimLost: a claim whose answer is lost is one claim.
func TestClaimLost(t *testing.T) {
	client := openStore(t)
	for call := range 2 {
		for _, what := range []fault{unsent, unanswered} {
			l := New(&faulty{KV: client, script: func(n int) fault {
				if n == call {
					return what
				}
				return passes
			}}, fixedClock)
			term, err := l.Claim(t.Context(), "test")
			if err != nil {
				t.Fatal(err)
			}
			got, err := client.Get(t.Context(), termKey)
			if err != nil || got.Kvs[0].ModRevision != int64(term) {
				t.Errorf("the term is %d, the store says %+v, %v", term, got, err)
			}
		}
	}
}

// TestUnknownOutcome: when nobody answers for long, the caller is told that nobody knows; asking again tells.
func TestUnknownOutcome(t *testing.T) {
	client := openStore(t)
	tenant := newTenant()
	gone := false
	f := &faulty{KV: client, script: func(n int) fault {
		if gone {
			return unsent
		}
		gone = n == 1 // the first write: one read comes before it
		return map[bool]fault{true: unanswered, false: passes}[gone]
	}}
	l := New(f, fixedClock)
	if _, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 100)}); !errors.Is(err, book.ErrUnknown) {
		t.Fatalf("nobody answers: %v", err)
	}
	gone, f.script = false, func(int) fault { return passes }
	result, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 100)})
	if err != nil || !result.Replayed || result.Head.Paid != rupiah(100) {
		t.Errorf("asked again: %+v, %v", result, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Do(ctx, book.Request{Tenant: tenant, Op: paid("o2", 100)}); !errors.Is(err, context.Canceled) {
		t.Errorf("the caller has gone: %v", err)
	}
}

// TestDecision: phase, marks and notices are written with what they are about, once.
func TestDecision(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	warn := func(before book.Head, after book.Outcome) book.Decision {
		h := after.State.Head
		d := book.Decision{Phase: "Active", State: h.State}
		if h.Available() < rupiah(50) {
			d.Phase = "Low"
			if state := fmt.Sprintf(`{"low":%d}`, h.Epoch); string(h.State) != state {
				d.State = []byte(state)
				d.Notices = []book.Notice{{ID: "low-1", Kind: "BalanceLow", Data: map[string]string{"available": h.Available().String()}}}
			}
		}
		return d
	}
	do := func(op book.Op) book.Result {
		t.Helper()
		result, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: op, Term: term, Decide: warn})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	do(paid("o1", 100))
	if got := do(charge(0, 1, cpu("web", 3600, 60))).Head; got.Phase != "Low" || string(got.State) != `{"low":1}` {
		t.Errorf("decided %+v", got)
	}
	revision := func() int64 {
		got, err := client.Get(t.Context(), headKey(tenant))
		if err != nil {
			t.Fatal(err)
		}
		return got.Kvs[0].ModRevision
	}
	before := revision()
	do(book.Review{})
	if after := revision(); after != before {
		t.Error("a review that decides nothing new has written")
	}

	mine := func() []Pending {
		t.Helper()
		all, err := l.Outbox(t.Context(), 0, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		var out []Pending
		for _, p := range all {
			if p.Tenant == tenant {
				out = append(out, p)
			}
		}
		return out
	}
	pending := mine()
	if len(pending) != 1 || pending[0].ID != "low-1" || pending[0].Data["available"] != "40.000000" || pending[0].Seq != 1 {
		t.Fatalf("notices are %+v", pending)
	}
	for range 2 {
		if err := l.Delivered(t.Context(), pending[0]); err != nil {
			t.Fatal(err)
		}
	}
	do(charge(1, 1, cpu("web", 60, 60)))
	if left := mine(); len(left) != 0 {
		t.Errorf("warned again in the same epoch: %+v", left)
	}
}

// TestCoupon: a coupon is redeemed as often as it may be, by whomever, and once by each.
func TestCoupon(t *testing.T) {
	client := openStore(t)
	l, _ := open(t, client)
	redeem := func(tenant string) error {
		_, err := l.Do(t.Context(), book.Request{Tenant: tenant, Op: book.Grant{
			ID: "grant:c-" + t.Name(), Lot: book.Lot{ID: "c", Left: rupiah(5)}, Coupon: "c-" + t.Name(), CouponLimit: 2,
		}})
		return err
	}
	a, b, c := newTenant(), newTenant(), newTenant()
	for _, tenant := range []string{a, a, b} {
		if err := redeem(tenant); err != nil {
			t.Errorf("%s: %v", tenant, err)
		}
	}
	if err := redeem(c); !errors.Is(err, book.ErrUsedUp) {
		t.Errorf("the third: %v", err)
	}
	if err := redeem(a); err != nil {
		t.Errorf("asked again when it is used up: %v", err)
	}
	head, err := l.Head(t.Context(), a)
	if err != nil || head.Promo() != rupiah(5) {
		t.Errorf("%s given, %v", head.Promo(), err)
	}
}

// TestNewer: what a newer version has written stops this one for that tenant, and for no other.
func TestNewer(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	newer, other := newTenant(), newTenant()
	must(t, l, term, newer, paid("o1", 100))
	must(t, l, term, other, paid("o1", 100))
	got, err := client.Get(t.Context(), entryKey(newer, 1))
	if err != nil {
		t.Fatal(err)
	}
	value := []byte(cutIn(string(got.Kvs[0].Value), `"type":"TopUp"`, `"type":"Donation"`))
	if _, err := client.Put(t.Context(), entryKey(newer, 1), string(value)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Verify(t.Context(), newer); !errors.Is(err, book.ErrNewer) {
		t.Errorf("verified: %v", err)
	}
	for _, err := range l.Items(t.Context(), newer, 0) {
		if !errors.Is(err, book.ErrNewer) {
			t.Errorf("shown: %v", err)
		}
	}
	if _, err := client.Put(t.Context(), headKey(newer), `{"v":2,"tenant":"`+newer+`"}`); err != nil {
		t.Fatal(err)
	}
	fresh := New(client, fixedClock)
	if _, err := fresh.Do(t.Context(), book.Request{Tenant: newer, Op: paid("o2", 1)}); !errors.Is(err, book.ErrNewer) {
		t.Errorf("written to: %v", err)
	}
	seen := 0
	for head, err := range fresh.Heads(t.Context()) {
		if head.Tenant == newer && !errors.Is(err, book.ErrNewer) {
			t.Errorf("listed: %v", err)
		}
		if head.Tenant == other && err == nil {
			seen++
		}
	}
	if _, err := fresh.Verify(t.Context(), other); err != nil || seen != 1 {
		t.Errorf("the other tenant: listed %d times, %v", seen, err)
	}
	if _, err := client.Delete(t.Context(), headKey(newer)); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedHead: entries are never written over, even when the head that should know of them is gone.
func TestDamagedHead(t *testing.T) {
	client := openStore(t)
	l, term := open(t, client)
	tenant := newTenant()
	must(t, l, term, tenant, paid("o1", 100))
	if _, err := client.Delete(t.Context(), headKey(tenant)); err != nil {
		t.Fatal(err)
	}
	before := dump(t, client, tenant)
	if _, err := New(client, fixedClock).Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o2", 1)}); !errors.Is(err, book.ErrBroken) {
		t.Errorf("written to: %v", err)
	}
	if diff := cmp.Diff(before, dump(t, client, tenant)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// TestRefusedByTheStore: what etcd will never take is said at once, and nothing else is.
func TestRefusedByTheStore(t *testing.T) {
	client := openStore(t)
	_, err := client.Put(t.Context(), prefix+"large", string(make([]byte, 1700<<10)))
	if err == nil || !rejected(err) {
		t.Errorf("a value of 1.7 MB: %v", err)
	}
	_, err = client.Txn(t.Context()).Then(clientv3.OpPut(prefix+"a", ""), clientv3.OpPut(prefix+"a", "")).Commit()
	if err == nil || !rejected(err) {
		t.Errorf("one key twice: %v", err)
	}
	for _, unknown := range []error{errLost, context.DeadlineExceeded, context.Canceled} {
		if rejected(unknown) {
			t.Errorf("%v is taken for a refusal", unknown)
		}
	}
}
