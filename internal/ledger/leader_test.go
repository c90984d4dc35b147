package ledger

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/usage"
)

// startLeader starts a leader, and returns what its Start returns.
func startLeader(t *testing.T, kv KV, o LeaderOptions) (*Leader, <-chan error) {
	t.Helper()
	l, err := NewLeader(New(kv, fixedClock), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	ended := make(chan error, 1)
	go func() { ended <- l.Start(ctx) }()
	<-l.Begun()

	return l, ended
}

// TestLeader: what a leader writes has its term, is told and counted; and when another begins a term, it ends.
func TestLeader(t *testing.T) {
	client, tenant := openStore(t), newTenant()
	reg := prometheus.NewPedanticRegistry()
	first, ended := startLeader(t, client, LeaderOptions{Holder: "first", Registerer: reg})
	var told []string
	first.Subscribe(func(tenant string) { told = append(told, tenant) })

	for range 2 { // The second time it was done before.
		if _, err := first.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := first.Do(t.Context(), book.Request{Tenant: tenant, Op: book.Review{}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{tenant}, told); diff != "" {
		t.Errorf("what comes to nothing must not be told, or whoever writes because of it goes on for ever (-want +got):\n%s", diff)
	}

	second, _ := startLeader(t, client, LeaderOptions{Holder: "second"})
	if _, err := first.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o2", 1000)}); !errors.Is(err, book.ErrFenced) {
		t.Errorf("a leader that was replaced gets %v", err)
	}
	if err := <-ended; !errors.Is(err, book.ErrFenced) {
		t.Errorf("its Start returned %v", err)
	}
	if _, err := second.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o2", 1000)}); err != nil {
		t.Errorf("the new leader gets %v", err)
	}
	if head, err := first.Head(t.Context(), tenant); err != nil || head.Paid != rupiah(2000) {
		t.Errorf("whoever does not lead any more reads %s, %v", head.Paid, err)
	}

	for outcome, want := range map[string]float64{"written": 1, "repeated": 1, "fenced": 1} {
		if got := testutil.ToFloat64(first.metrics.operations.WithLabelValues("TopUp", outcome)); got != want {
			t.Errorf("%v operations are counted as %s, want %v", got, outcome, want)
		}
	}
	if got := testutil.ToFloat64(first.metrics.operations.WithLabelValues("Review", "idle")); got != 1 {
		t.Errorf("%v idle reviews are counted, want 1", got)
	}
	if got := testutil.ToFloat64(first.metrics.entries.WithLabelValues("TopUp")); got != 1 {
		t.Errorf("%v entries are counted, want 1", got)
	}
}

// TestLeaderHearsOfMetering: metering writes past Do, and is told, and ends the leader, all the same.
func TestLeaderHearsOfMetering(t *testing.T) {
	client, tenant := openStore(t), newTenant()
	l, ended := startLeader(t, client, LeaderOptions{Holder: "metering"})
	var told []string
	l.Subscribe(func(tenant string) { told = append(told, tenant) })
	term, err := l.Term()
	if err != nil {
		t.Fatal(err)
	}
	m := NewMetering(l.Ledger, flat{}, term)

	results := m.Commit(t.Context(), []usage.Change{{Tenant: tenant, Data: []byte("1"), Charge: measured(tenant, -1, 0, 1)}})
	if results[0].Err != nil {
		t.Fatal(results[0].Err)
	}
	if diff := cmp.Diff([]string{tenant}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	startLeader(t, client, LeaderOptions{Holder: "another"})
	late := usage.Change{Tenant: tenant, Revision: results[0].Revision, Data: []byte("2"), Charge: measured(tenant, 0, 1, 1)}
	if results := m.Commit(t.Context(), []usage.Change{late}); !errors.Is(results[0].Err, usage.ErrFenced) {
		t.Errorf("got %v", results[0].Err)
	}
	if err := <-ended; !errors.Is(err, book.ErrFenced) {
		t.Errorf("Start returned %v", err)
	}
}

// TestNotLeading: before its term has begun nothing is written, and whoever asks is told to come back.
func TestNotLeading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := NewLeader(New(nil, fixedClock), LeaderOptions{Holder: "waiting"})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := l.Do(t.Context(), book.Request{Tenant: "acme", Op: paid("o1", 1)}); !errors.Is(err, ErrNotLeading) || errors.Is(err, book.ErrFenced) {
			t.Errorf("got %v", err)
		}
		if waited := time.Since(begun); waited != patience {
			t.Errorf("it waited for %s", waited)
		}
	})
}

// TestClaimWaitsForTheLease: who is not certain to be the one that was elected ends nobody's term.
func TestClaimWaitsForTheLease(t *testing.T) {
	client := openStore(t)
	first, _ := startLeader(t, client, LeaderOptions{Holder: "first"})
	held := make(chan struct{})
	second, err := NewLeader(New(client, fixedClock), LeaderOptions{Holder: "second", Hold: func(ctx context.Context) error {
		close(held)
		<-ctx.Done()
		return ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- second.Start(ctx) }()
	<-held
	if _, err := first.Do(t.Context(), book.Request{Tenant: newTenant(), Op: paid("o1", 1)}); err != nil {
		t.Errorf("the leader gets %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the one that never led ended with %v", err)
	}
}
