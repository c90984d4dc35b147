package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// story is two hours in the life of a tenant, told by whoever comes up after a crash: it begins anew, and what was done
// already must not be done again.
type story struct {
	tenant, dir string
	now         time.Time
}

// warnOnce gives a warning, once in an epoch, when there is little left, and stops who has nothing left.
func warnOnce(_ book.Head, after book.Outcome) book.Decision {
	h := after.State.Head
	d := book.Decision{Phase: "Active", State: h.State, Stopped: h.Available() < 0, Floor: -rupiah(10)}
	if h.Available() >= rupiah(40) {
		return d
	}
	d.Phase = "Low"
	if state := fmt.Sprintf(`{"low":%d}`, h.Epoch); string(h.State) != state {
		d.State = []byte(state)
		d.Notices = []book.Notice{{ID: fmt.Sprintf("low-%d", h.Epoch), Kind: "BalanceLow"}}
	}

	return d
}

func (s *story) ops() []book.Op {
	return []book.Op{
		paid("o1", 100),
		book.Grant{ID: "free:2026-11", Lot: book.Lot{ID: "free", Left: rupiah(3), Expires: start.Add(time.Hour).Unix()}},
		book.Grant{ID: "grant:WELCOME", Lot: book.Lot{ID: "bonus", Left: rupiah(9), Order: "o1"}, Coupon: "welcome-" + s.tenant, CouponLimit: 1},
		charge(0, 30, cpu("web", 1800, 7)),
		charge(30, 30, cpu("web", 1800, 7), cpu("db", 1801, 5)),
		book.RefundHold{Refund: "r1", Order: "o1", Amount: rupiah(20)},
		book.RefundHold{Refund: "r2", Order: "o1", Amount: rupiah(5)},
		book.RefundPost{Refund: "r1"},
		book.RefundVoid{Refund: "r2"},
		charge(60, 20, cpu("web", 1200, 300)),
		book.Skip{From: firstWindow + 80, Through: firstWindow + 99, Reason: "outage", Floor: -rupiah(10)},
		paid("o2", 60),
		book.Review{},
		settled(charge(100, 20, cpu("web", 1200, 7)), 0),
		book.Reversal{Order: "o2", Transaction: "tx-o2", Amount: rupiah(60)},
		book.Chargeback{Order: "o1", Cumulative: rupiah(50), Amount: rupiah(50), TakeBack: "bonus"},
		book.WriteOff{ID: "w1", Actor: "ada", Reason: "closed"},
	}
}

// tell tells it all, from the beginning.
func (s *story) tell(ctx context.Context, kv KV) error {
	s.now = start
	l := New(kv, func() time.Time { return s.now })
	l.lostPause = time.Millisecond
	term, err := l.Claim(ctx, "teller")
	if err != nil {
		return err
	}
	for _, op := range s.ops() {
		_, err := l.Do(ctx, book.Request{Tenant: s.tenant, Op: op, Decide: warnOnce, Term: term})
		if err != nil && !errors.Is(err, book.ErrCharged) {
			return err
		}
	}
	s.now = start.Add(time.Hour)
	if _, err := l.Do(ctx, book.Request{Tenant: s.tenant, Op: book.Adjust{ID: "late", Amount: 1, Actor: "ada", Reason: "rounding"}, Decide: warnOnce}); err != nil {
		return err
	}
	if _, _, err := l.Archive(ctx, term, s.tenant, start.Add(time.Hour), s.dir); err != nil {
		return err
	}
	_, err = l.Do(ctx, book.Request{Tenant: s.tenant, Op: paid("o3", 1), Decide: warnOnce})

	return err
}

// forget removes what the story has left.
func (s *story) forget(t testing.TB, client *clientv3.Client) {
	t.Helper()
	restore(t, client, dump(t, client, s.tenant), nil)
	if _, err := client.Delete(t.Context(), couponKey("welcome-"+s.tenant)); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// end is all that is left of it, with the names and sizes of its files.
func (s *story) end(t testing.TB, client *clientv3.Client) map[string]string {
	t.Helper()
	out := dump(t, client, s.tenant)
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = string(data)
	}

	return out
}

// TestEveryCall (invariant 7): whatever becomes of whichever write, the ledger ends as if nothing had happened. The writes
// are all that the story makes, one after the other; what can become of one is: it is not sent; it is done and its answer
// is lost; the process dies after it, which is also before the next.
func TestEveryCall(t *testing.T) {
	client := openStore(t)
	s := &story{tenant: newTenant(), dir: t.TempDir()}
	counter := &faulty{KV: client, script: func(int) fault { return passes }}
	if err := s.tell(t.Context(), counter); err != nil {
		t.Fatal(err)
	}
	want := s.end(t, client)
	if _, err := New(client, fixedClock).Verify(t.Context(), s.tenant); err != nil {
		t.Fatal(err)
	}
	if len(want) < 20 || counter.calls < 30 {
		t.Fatalf("the story has %d calls and leaves %d keys and files", counter.calls, len(want))
	}

	for call := range counter.calls {
		for name, what := range map[string]fault{"unsent": unsent, "unanswered": unanswered, "dies after": diesAfter} {
			// A read changes nothing, so it does not matter to the ledger what becomes of one. It may matter to us, which
			// is tried where there is time.
			if !counter.writes[call] && (what != unsent || !long()) {
				continue
			}
			s.forget(t, client)
			f := &faulty{KV: client, script: func(n int) fault {
				if n == call {
					return what
				}
				return passes
			}}
			err := s.tell(t.Context(), f)
			if !f.dead && err != nil && !errors.Is(err, errLost) {
				t.Errorf("call %d, %s: %v", call, name, err)
			}
			if f.dead || err != nil {
				if err := s.tell(t.Context(), client); err != nil {
					t.Errorf("call %d, %s: told again: %v", call, name, err)
				}
			}
			if diff := cmp.Diff(want, s.end(t, client)); diff != "" {
				t.Fatalf("call %d of %d, %s, ends otherwise:\n%s", call, counter.calls, name, diff)
			}
		}
	}
	t.Logf("%d calls, %d of them writes, %d keys and files", counter.calls, len(counter.writes), len(want))
}
