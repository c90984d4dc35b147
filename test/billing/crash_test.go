package billing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/ledger"
)

var errCut = errors.New("connection lost")

// mishap is what becomes of a call.
type mishap string

const (
	// unsent: it fails and nothing was done. unanswered: it is done, and fails. dies: it is done, and the process is gone.
	unsent     mishap = "unsent"
	unanswered mishap = "unanswered"
	dies       mishap = "dies"
)

// fate counts the calls of a process, to whomever, and lets one of them go wrong.
type fate struct {
	mu    sync.Mutex
	calls int
	at    int
	what  mishap
	dead  bool
	names []string
}

func (f *fate) around(name string, call func() error) error {
	f.mu.Lock()
	n, dead := f.calls, f.dead
	f.calls++
	f.names = append(f.names, name)
	f.mu.Unlock()

	switch {
	case dead, n == f.at && f.what == unsent:
		return errCut
	case n != f.at || f.what == "":
		return call()
	}

	if err := call(); err != nil {
		return err
	}

	f.mu.Lock()
	f.dead = f.what == dies
	f.mu.Unlock()

	return errCut
}

// seams let all calls pass by.
func (f *fate) seams() seams {
	return seams{
		kv:        func(kv ledger.KV) ledger.KV { return cutKV{kv, f} },
		transport: func(t http.RoundTripper) http.RoundTripper { return cutTransport{t, f} },
		api:       f.api,
	}
}

type cutTransport struct {
	http.RoundTripper
	f *fate
}

// RoundTrip implements http.RoundTripper.
func (c cutTransport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	err = c.f.around("gateway "+r.Method+" "+r.URL.Path, func() error {
		answer, err = c.RoundTripper.RoundTrip(r)
		return err
	})
	if err != nil {
		return nil, err
	}

	return answer, nil
}

type cutKV struct {
	ledger.KV
	f *fate
}

// Get implements ledger.KV.
func (c cutKV) Get(ctx context.Context, key string, options ...clientv3.OpOption) (got *clientv3.GetResponse, err error) {
	err = c.f.around("ledger get", func() error {
		got, err = c.KV.Get(ctx, key, options...)
		return err
	})

	return got, err
}

// Txn implements ledger.KV.
func (c cutKV) Txn(ctx context.Context) clientv3.Txn { return &cutTxn{c.KV.Txn(ctx), c.f} }

type cutTxn struct {
	clientv3.Txn
	f *fate
}

func (x *cutTxn) If(cmps ...clientv3.Cmp) clientv3.Txn { x.Txn = x.Txn.If(cmps...); return x }
func (x *cutTxn) Then(ops ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Then(ops...); return x }
func (x *cutTxn) Else(ops ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Else(ops...); return x }

// Commit implements clientv3.Txn.
func (x *cutTxn) Commit() (got *clientv3.TxnResponse, err error) {
	err = x.f.around("ledger txn", func() error {
		got, err = x.Txn.Commit()
		return err
	})

	return got, err
}

func (f *fate) api(c client.WithWatch) client.WithWatch {
	return interceptor.NewClient(c, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			return f.around("api get", func() error { return c.Get(ctx, key, o, options...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, options ...client.PatchOption) error {
			return f.around("api patch", func() error { return c.Patch(ctx, o, p, options...) })
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, options ...client.SubResourcePatchOption) error {
			return f.around("api patch "+sub, func() error { return c.SubResource(sub).Patch(ctx, o, p, options...) })
		},
	})
}

// tale is the life of three payments of a tenant, from the page to the last rupiah that goes back. It is told step by step:
// what the world does happens once, however often the process dies; after each step the loops run until they are done.
func (w *world) tale() []func() {
	pay := func(name string) {
		_, err := w.midtrans.Pay(w.orderID(name), "other_qris")
		must(w.t, err)
	}

	return []func(){
		func() { w.topUp("a", withCode("WELCOME-2026")); w.topUp("b") },
		func() { pay("a") },
		func() { r := refundOf("r", "a", "30000"); r.Namespace = w.tenant; w.declare(r) },
		func() { must(w.t, w.midtrans.RefundAtDashboard(w.orderID("a"), 20_000)) },
		func() { pay("b"); w.topUp("c") },
		func() { must(w.t, w.midtrans.Chargeback(w.orderID("b"), 60_000)) },
		func() { pay("c") },
		func() { must(w.t, w.midtrans.Reverse(w.orderID("c"))) },
	}
}

func refundOf(name, topUp, amount string) *billingv1.Refund {
	r := &billingv1.Refund{Spec: billingv1.RefundSpec{
		TopUpName: dogkerv1.ObjectName(topUp), Amount: billingv1.WholeAmount(amount), Reason: "asked for", Method: billingv1.RefundByGateway,
	}}
	r.Name = name

	return r
}

// run runs all loops a few times over. A process that died is followed by another.
func (w *world) run(f *fate) {
	w.t.Helper()

	for range 4 {
		f.mu.Lock()
		dead := f.dead
		f.dead = false
		f.mu.Unlock()

		if dead || f.what != "" {
			w.restart() // A restart also spares the wait after a failure.
		}

		for _, name := range []string{"a", "b", "c"} {
			if one := w.get(name); one != nil {
				w.loops.orders.Hint(context.Background(), w.orderID(name))
				w.passTopUp(name)
			}
		}
		if w.getRefund("r") != nil {
			w.passRefund("r")
		}
	}
}

// tell tells the tale and returns how it ends.
func tell(t *testing.T, f *fate) []string {
	t.Helper()

	w := newWorld(t, fake.Options{}, f.seams())
	w.raisePending()
	w.coupon("plus", "WELCOME-2026", nil)

	for _, step := range w.tale() {
		step()
		w.run(f)
	}

	w.verify()

	// What is in the books in which order may differ; what is in them may not.
	end := w.entries()
	slices.Sort(end)

	for _, name := range []string{"a", "b", "c"} {
		one := w.get(name)
		end = append(end, fmt.Sprintf("%s %s refunded=%s charged back=%s coupon=%s", name, one.Status.Phase, one.Status.Refunded, one.Status.ChargedBack, one.Status.CouponAmount))
	}

	r := w.getRefund("r")
	h := w.head()

	return append(end, fmt.Sprintf("r %s %s", r.Status.Phase, r.Status.Amount), fmt.Sprintf("left %s, held %d, phase %s", rupiah(h.Balance()), len(h.Holds), h.Phase))
}

// TestEveryCall: whatever becomes of whichever call, to the gateway, the ledger or the API, the books end as if nothing had
// happened. A sample of the calls is tried unless DOGKER_LONG is set.
func TestEveryCall(t *testing.T) {
	reference := &fate{at: -1}
	want := tell(t, reference)
	t.Logf("%d calls, ending in\n%v", reference.calls, want)

	if reference.calls < 100 {
		t.Fatalf("only %d calls are seen", reference.calls)
	}

	step := 41
	if long() {
		step = 1
	}

	for at := 0; at < reference.calls; at += step {
		for _, what := range []mishap{unsent, unanswered, dies} {
			t.Run(fmt.Sprintf("%s/%d", what, at), func(t *testing.T) {
				f := &fate{at: at, what: what}
				if got := tell(t, f); !slices.Equal(got, want) {
					t.Fatalf("%s: it ends as\n%v\nand not as\n%v", f.names[at], got, want)
				}
			})
		}
	}
}
