package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// persist asks until there is an answer, as whoever wants something done does.
func persist(ctx context.Context, l *Ledger, req book.Request) (book.Result, error) {
	for {
		result, err := l.Do(ctx, req)
		if err == nil || !(errors.Is(err, errLost) || errors.Is(err, book.ErrUnknown) || errors.Is(err, book.ErrBusy)) || ctx.Err() != nil {
			return result, err
		}
	}
}

// TestWriters (invariant 3): many who want the same and other things at once, each over a connection that loses calls, and
// each key has one entry in the end.
func TestWriters(t *testing.T) {
	client := openStore(t)
	tenant := newTenant()
	const writers, payments = 6, 12
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			l := New(flaky(client, uint64(n), 10), fixedClock)
			for _, i := range rand.New(rand.NewPCG(uint64(n), 1)).Perm(payments) {
				// All agree on all amounts but one, of which the first to come decides.
				amount := int64(i + 1)
				if i == 7 {
					amount += int64(n)
				}
				_, err := persist(t.Context(), l, book.Request{Tenant: tenant, Op: paid(fmt.Sprintf("o%d", i), amount)})
				if err != nil && !(i == 7 && errors.Is(err, book.ErrConflict)) {
					t.Errorf("writer %d, payment %d: %v", n, i, err)
				}
			}
		})
	}
	group.Wait()

	l := New(client, fixedClock)
	report, err := l.Verify(t.Context(), tenant)
	if err != nil || report.Entries != payments {
		t.Fatalf("%+v, %v; want %d entries", report, err, payments)
	}
}

// TestTwoLeaders (invariants 3, 5 and 7): two that both believe they lead, and are told in turns that they do, charge every
// window once, while payments come in beside them.
func TestTwoLeaders(t *testing.T) {
	client := openStore(t)
	tenant := newTenant()
	const windows = 60
	var leaders, payer sync.WaitGroup
	for n := range 2 {
		leaders.Go(func() { lead(t, New(flaky(client, uint64(n), 15), fixedClock), tenant, uint64(n), windows) })
	}
	over := make(chan struct{})
	payer.Go(func() {
		l := New(client, fixedClock)
		for i := 0; ; i++ {
			if _, err := persist(t.Context(), l, book.Request{Tenant: tenant, Op: paid(fmt.Sprintf("o%d", i), 10)}); err != nil {
				t.Error(err)
			}
			select {
			case <-over:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	leaders.Wait()
	close(over)
	payer.Wait()

	l := New(client, fixedClock)
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	var seconds int64
	var charged money.Micro
	next := firstWindow
	for item, err := range l.Items(t.Context(), tenant, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if item.Record == nil {
			continue
		}
		if item.Entry.From != next {
			t.Errorf("entry %d charges from window %d, the one before ended at %d", item.Entry.Seq, item.Entry.From, next-1)
		}
		next = item.Entry.Through + 1
		charged -= item.Entry.Amount
		for _, line := range item.Record.Lines {
			seconds += line.Seconds
		}
	}
	if seconds != windows*60 || charged != rupiah(windows) {
		t.Errorf("%d s charged with %s, want %d and %s", seconds, charged, windows*60, rupiah(windows))
	}
}

// lead charges windows one by one as long as there are any, claims a term whenever it is told that another has it, and
// pauses now and then to wake up as a leader of the past.
func lead(t *testing.T, l *Ledger, tenant string, seed uint64, windows int64) {
	r := rand.New(rand.NewPCG(seed, 2))
	var term book.Term
	for t.Context().Err() == nil {
		head, err := l.Head(t.Context(), tenant)
		if err != nil {
			continue
		}
		at := max(head.ChargedThrough+1, firstWindow) - firstWindow
		if at >= windows {
			return
		}
		if term == 0 {
			if term, err = l.Claim(t.Context(), fmt.Sprint("leader ", seed)); err != nil {
				continue
			}
		}
		if r.IntN(4) == 0 {
			time.Sleep(time.Duration(r.IntN(15)) * time.Millisecond)
		}
		c := charge(at, 1, cpu("web", 60, 60))
		c.Settle, c.Floor = (at+1)%30 == 0, -rupiah(1000)
		_, err = persist(t.Context(), l, book.Request{Tenant: tenant, Op: c, Term: term})
		switch {
		case errors.Is(err, book.ErrFenced):
			term = 0
		case err != nil && !errors.Is(err, book.ErrCharged) && !errors.Is(err, book.ErrGap):
			t.Errorf("leader %d: %v", seed, err)
			return
		}
	}
}

// TestSoak: ten thousand operations on some tenants by some writers over connections that lose calls, as many as there is
// time for; then every ledger verifies and no money was made or lost.
func TestSoak(t *testing.T) {
	client := openStore(t)
	limit, operations := 8*time.Second, 10_000
	if long() {
		limit, operations = 2*time.Minute, 100_000
	}
	_, term := open(t, client)
	deadline := time.Now().Add(limit)
	const workers = 8
	tenantOf := func(worker, i int) string { return fmt.Sprintf("soak-%d-%d", worker/2, i%5) }
	var group sync.WaitGroup
	var done [workers]int
	for n := range workers {
		group.Go(func() {
			l, r := New(flaky(client, uint64(n), 200), fixedClock), rand.New(rand.NewPCG(uint64(n), 3))
			for i := 0; i < operations/workers && time.Now().Before(deadline); i++ {
				tenant := tenantOf(n, i)
				if err := soakOne(t.Context(), l, term, tenant, r, fmt.Sprintf("%d-%d", n, i)); err != nil {
					t.Errorf("%s: %v", tenant, err)
					return
				}
				done[n]++
			}
		})
	}
	group.Wait()

	l, total, entries := New(client, fixedClock), 0, int64(0)
	for _, n := range done {
		total += n
	}
	for n := 0; n < workers; n += 2 {
		for i := range 5 {
			report, err := l.Verify(t.Context(), tenantOf(n, i))
			if err != nil {
				t.Error(err)
			}
			entries += report.Entries
		}
	}
	t.Logf("%d operations, %d entries", total, entries)
}

// soakOne does one operation, or finds that it cannot be done for a reason that is none of a fault.
func soakOne(ctx context.Context, l *Ledger, term book.Term, tenant string, r *rand.Rand, id string) error {
	var op book.Op
	switch r.IntN(8) {
	case 0:
		op = paid("o"+id, 1+r.Int64N(100))
	case 1:
		op = book.Grant{ID: "grant:" + id, Lot: book.Lot{ID: fmt.Sprint("lot", r.IntN(20)), Left: 1 + money.Micro(r.Int64N(1_000_000))}}
	case 2:
		op = book.Adjust{ID: id, Amount: money.Micro(r.Int64N(2_000_000)) - 1_000_001, Actor: "ada", Reason: "soak"}
	default:
		head, err := l.Head(ctx, tenant)
		if err != nil {
			return nil
		}
		at := max(head.ChargedThrough+1, firstWindow) - firstWindow
		c := charge(at, 1, cpu("web", r.Int64N(600), 1+r.Int64N(500)), cpu("db", 60, 7))
		c.Settle, c.Floor = r.IntN(5) == 0, -money.Micro(r.Int64N(50_000_000))
		op = c
	}
	_, err := persist(ctx, l, book.Request{Tenant: tenant, Op: op, Term: term})
	for _, fine := range []error{book.ErrCharged, book.ErrGap, book.ErrExists, book.ErrTooMany} {
		if errors.Is(err, fine) {
			return nil
		}
	}

	return err
}
