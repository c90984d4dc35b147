package statement

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

const tenant = "acme"

// begin is the first moment of November 2026 in UTC.
var begin = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func rupiah(n int64) money.Micro { return money.Micro(n) * money.Rupiah }

// shelf is a ledger in memory, of one tenant. It makes entries as the real one does, by package book.
type shelf struct {
	t      testing.TB
	state  book.State
	items  []book.Item
	orders map[string]book.Order
	start  book.Head
	// late is until when not everything is charged.
	late int64
	// reads counts how often anybody asked.
	reads    int
	archived []int64
}

func newShelf(t testing.TB) *shelf {
	return &shelf{t: t, state: book.State{Head: book.NewHead(tenant)}, orders: map[string]book.Order{}, start: book.NewHead(tenant)}
}

func (s *shelf) do(at time.Time, op book.Op) {
	s.t.Helper()
	s.state.Order = s.orders[book.OrderOf(op, s.state.Head)]
	if t, ok := op.(book.TopUp); ok {
		s.state.Order = s.orders[t.Order]
	}
	out, err := book.Apply(s.state, op, nil, at)
	if err != nil {
		s.t.Fatalf("%#v: %v", op, err)
	}
	s.state = out.State
	s.orders[out.State.Order.ID] = out.State.Order
	records := map[string]*book.Record{}
	for i := range out.Settled {
		records[out.Settled[i].Digest()] = &out.Settled[i]
	}
	for _, e := range out.Entries {
		s.items = append(s.items, book.Item{Entry: e, Record: records[e.Record]})
	}
}

// pay, use and give are what happens in a ledger, some time after the beginning.
func (s *shelf) pay(after time.Duration, order string, n int64) {
	s.do(begin.Add(after), book.TopUp{Order: order, Transaction: "tx-" + order, Amount: rupiah(n)})
}

// use is an hour of CPUs at a rupiah each, settled.
func (s *shelf) use(after time.Duration, workload string, cpus int64) {
	first := book.WindowAt(begin.Add(after))
	from := first
	if through := s.state.Head.ChargedThrough; through > 0 {
		from = through + 1
	}
	s.do(begin.Add(after+time.Hour+15*time.Second), book.Charge{
		From: from, Since: first, Through: first + 59, Settle: true, Floor: -rupiah(1000), PriceList: "standard",
		Lines: []book.Line{{Workload: workload, Meter: money.CPU, Quantity: cpus * 1_000_000_000, Seconds: 3600, Price: rupiah(1)}},
	})
}

// Head implements Ledger.
func (s *shelf) Head(context.Context, string) (book.Head, error) {
	s.reads++
	return s.state.Head, nil
}

// Start implements Ledger.
func (s *shelf) Start(context.Context, string) (book.Head, error) {
	s.reads++
	return s.start, nil
}

// Entry implements Ledger.
func (s *shelf) Entry(_ context.Context, _ string, seq int64) (book.Entry, error) {
	s.reads++
	for _, item := range s.items {
		if item.Entry.Seq == seq {
			return item.Entry, nil
		}
	}

	return book.Entry{}, book.ErrNotFound
}

// Items implements Ledger.
func (s *shelf) Items(_ context.Context, _ string, from int64) iter.Seq2[book.Item, error] {
	s.reads++
	return func(yield func(book.Item, error) bool) {
		for _, item := range s.items {
			if item.Entry.Seq >= from && !yield(item, nil) {
				return
			}
		}
	}
}

// Complete implements Ledger.
func (s *shelf) Complete(_ context.Context, _ string, before int64) (bool, error) {
	s.reads++
	return before > s.late, nil
}

// Heads implements Archive.
func (s *shelf) Heads(context.Context) iter.Seq2[book.Head, error] {
	return func(yield func(book.Head, error) bool) {
		if s.state.Head.Seq > 0 {
			yield(s.state.Head, nil)
		}
	}
}

// Archive implements Archive, as the real one prunes.
func (s *shelf) Archive(_ context.Context, _ string, before time.Time, _ string) (book.Checkpoint, bool, error) {
	s.archived = append(s.archived, before.Unix())
	replay := book.NewReplay(s.start)
	var n int64
	for _, item := range s.items {
		if item.Entry.Effective() >= before.Unix() {
			break
		}
		if _, err := replay.Next(item.Entry.Encode()); err != nil {
			return book.Checkpoint{}, false, err
		}
		n++
	}
	if n == 0 {
		return book.Checkpoint{}, false, nil
	}
	s.start, s.items = replay.Head(), s.items[n:]
	c := book.Checkpoint{Tenant: tenant, Head: s.start, Entries: n, File: "acme.ledger", SHA256: string(bytes.Repeat([]byte("a"), 64)), Bytes: 1}
	s.do(before.Add(80*24*time.Hour), book.Archive{Checkpoint: c})

	return c, true, nil
}

// Sizes implements Archive.
func (*shelf) Sizes(context.Context) (map[string]int64, error) {
	return map[string]int64{"entry": 7}, nil
}

// rig is a Closer with everything that it needs.
type rig struct {
	*Closer

	client  client.Client
	shelf   *shelf
	now     time.Time
	creates int
	log     bytes.Buffer
}

func account(offsetHours int32) *billingv1.BillingAccount {
	return &billingv1.BillingAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: tenant, Name: billingv1.AccountName},
		Spec:       billingv1.BillingAccountSpec{UTCOffsetHours: offsetHours},
	}
}

func newRig(t testing.TB, s *shelf, objects ...client.Object) *rig {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(billingv1.AddToScheme(scheme), dogkerv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	r := &rig{shelf: s, now: begin}
	r.client = fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			r.creates++
			return c.Create(ctx, o, opts...)
		},
	}).Build()
	r.Closer = New(Options{
		Client: r.client, Live: r.client, Ledger: s, Archive: s, Recorder: record.NewFakeRecorder(100),
		Log: slog.New(slog.NewTextHandler(&r.log, nil)), Now: func() time.Time { return r.now },
	})

	return r
}

// sweepAt looks once, some time after the beginning.
func (r *rig) sweepAt(t testing.TB, after time.Duration) {
	t.Helper()
	r.now = begin.Add(after)
	if err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) statements(t testing.TB) []billingv1.Statement {
	t.Helper()
	var list billingv1.StatementList
	if err := r.client.List(t.Context(), &list, client.InNamespace(tenant)); err != nil {
		t.Fatal(err)
	}

	return list.Items
}

func (r *rig) statement(t testing.TB, name string) billingv1.StatementSpec {
	t.Helper()
	var s billingv1.Statement
	if err := r.client.Get(t.Context(), client.ObjectKey{Namespace: tenant, Name: name}, &s); err != nil {
		t.Fatal(err)
	}

	return s.Spec
}
