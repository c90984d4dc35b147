package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/controlplane/etcd/etcdtest"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

func TestMain(m *testing.M) { etcdtest.Main(m) }

func openStore(t testing.TB) *clientv3.Client {
	t.Helper()
	return etcdtest.Client(t)
}

// start is a whole hour, and firstWindow the window that begins there.
var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

var firstWindow = book.WindowAt(start)

func fixedClock() time.Time { return start }

var tenants atomic.Int64

// newTenant is a name that no other test uses.
func newTenant() string { return fmt.Sprintf("tenant-%d", tenants.Add(1)) }

// open makes a ledger and begins a term.
func open(t testing.TB, kv KV) (*Ledger, book.Term) {
	t.Helper()
	l := New(kv, fixedClock)
	term, err := l.Claim(context.Background(), "test")
	if err != nil {
		t.Fatal(err)
	}

	return l, term
}

func rupiah(n int64) money.Micro { return money.Micro(n) * money.Rupiah }

func paid(order string, whole int64) book.TopUp {
	return book.TopUp{Order: order, Transaction: "tx-" + order, Amount: rupiah(whole)}
}

// cpu is the use of one vCPU for seconds at a price of whole rupiah an hour.
func cpu(workload string, seconds, price int64) book.Line {
	return book.Line{Workload: workload, Meter: money.CPU, Quantity: 1_000_000_000, Seconds: seconds, Price: rupiah(price)}
}

// charge is a charge of n windows from the offset in minutes.
func charge(offset, n int64, lines ...book.Line) book.Charge {
	return book.Charge{From: firstWindow + offset, Through: firstWindow + offset + n - 1, Lines: lines, PriceList: "p1"}
}

func settled(c book.Charge, floor money.Micro) book.Charge {
	c.Settle, c.Floor = true, floor

	return c
}

// must does what cannot fail.
func must(t testing.TB, l *Ledger, term book.Term, tenant string, ops ...book.Op) book.Head {
	t.Helper()
	var head book.Head
	for _, op := range ops {
		result, err := l.Do(context.Background(), book.Request{Tenant: tenant, Op: op, Term: term})
		if err != nil {
			t.Fatalf("%#v: %v", op, err)
		}
		head = result.Head
	}

	return head
}

// entries are those of a tenant.
func entries(t testing.TB, l *Ledger, tenant string) []book.Entry {
	t.Helper()
	var out []book.Entry
	for item, err := range l.Items(context.Background(), tenant, 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, item.Entry)
	}

	return out
}

// dump is all that is stored of a tenant, by key.
func dump(t testing.TB, client *clientv3.Client, tenant string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, p := range []string{
		headKey(tenant), meterKey(tenant), checkpointKey(tenant), entryPrefix(tenant), idemPrefix(tenant), orderPrefix(tenant), usagePrefix(tenant), outboxKey(tenant, ""),
	} {
		var options []clientv3.OpOption
		if p[len(p)-1] == '/' {
			options = append(options, clientv3.WithPrefix())
		}
		got, err := client.Get(context.Background(), p, options...)
		if err != nil {
			t.Fatal(err)
		}
		for _, kv := range got.Kvs {
			out[string(kv.Key)] = string(kv.Value)
		}
	}

	return out
}

// fault is what becomes of a call.
type fault int

const (
	// passes: nothing.
	passes fault = iota
	// unsent: it fails and nothing was done.
	unsent
	// unanswered: it is done, and fails.
	unanswered
	// dies before or after: likewise, and so does every call after it, because the process is gone.
	diesBefore
	diesAfter
)

var (
	errLost = errors.New("connection lost")
	errDead = errors.New("this process is gone")
)

// faulty is an etcd whose calls fail as a script says.
type faulty struct {
	KV
	// script is asked for each call, counted from 0.
	script func(call int) fault
	mu     sync.Mutex
	calls  int
	// writes are the calls that change something when they succeed.
	writes map[int]bool
	dead   bool
}

// next is what becomes of the next call.
func (f *faulty) next(write bool) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return diesBefore
	}
	if write {
		if f.writes == nil {
			f.writes = map[int]bool{}
		}
		f.writes[f.calls] = true
	}
	what := f.script(f.calls)
	f.calls++
	f.dead = what == diesBefore || what == diesAfter

	return what
}

func (f *faulty) around(write bool, call func() error) error {
	what := f.next(write)
	switch what {
	case unsent:
		return errLost
	case diesBefore:
		return errDead
	}
	err := call()
	switch {
	case err != nil || what == passes:
		return err
	case what == unanswered:
		return errLost
	default:
		return errDead
	}
}

// Get implements KV.
func (f *faulty) Get(ctx context.Context, key string, options ...clientv3.OpOption) (got *clientv3.GetResponse, err error) {
	err = f.around(false, func() (err error) {
		got, err = f.KV.Get(ctx, key, options...)
		return err
	})

	return got, err
}

// Txn implements KV.
func (f *faulty) Txn(ctx context.Context) clientv3.Txn { return &faultyTxn{Txn: f.KV.Txn(ctx), f: f} }

type faultyTxn struct {
	clientv3.Txn
	f      *faulty
	writes bool
}

func (x *faultyTxn) If(cmps ...clientv3.Cmp) clientv3.Txn { x.Txn = x.Txn.If(cmps...); return x }
func (x *faultyTxn) Else(ops ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Else(ops...); return x }

// Then implements clientv3.Txn.
func (x *faultyTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	x.writes = slices.ContainsFunc(ops, func(op clientv3.Op) bool { return op.IsPut() || op.IsDelete() })
	x.Txn = x.Txn.Then(ops...)

	return x
}

// Commit implements clientv3.Txn.
func (x *faultyTxn) Commit() (got *clientv3.TxnResponse, err error) {
	err = x.f.around(x.writes, func() (err error) {
		got, err = x.Txn.Commit()
		return err
	})

	return got, err
}
