package billing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	fakeclient "sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/refund"
	"github.com/dogker/dogker/controllers/topup"
	"github.com/dogker/dogker/internal/controlplane/etcd/etcdtest"
	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/internal/midtrans"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/payment"
)

const (
	secret   = "SB-Mid-server-TOPsecret123"
	merchant = "G000000000"
	cluster  = "abcdef"
	// amount that is paid unless a test says otherwise.
	amount = 100_000
)

func long() bool { return os.Getenv("DOGKER_LONG") != "" }

func TestMain(m *testing.M) { etcdtest.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// memory reaches a handler without a network. A handler that gives up its connection is a connection that broke.
type memory struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (m memory) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, errors.New("connection reset")
		}
	}()

	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)

	return w.Result(), nil
}

// world is a tenant, the API objects that are about it, its ledger, and the Midtrans that it pays at.
type world struct {
	t        testing.TB
	tenant   string
	api      client.WithWatch
	ledger   *ledger.Ledger
	midtrans *fake.Server
	hook     *webhook.Handler
	// offset is how far the clock of the controllers is ahead.
	offset atomic.Int64
	loops  *loops
	seams  seams
}

// seams may make calls fail.
type seams struct {
	kv        func(ledger.KV) ledger.KV
	api       func(client.WithWatch) client.WithWatch
	transport func(http.RoundTripper) http.RoundTripper
}

var tenants atomic.Int64

func newWorld(t testing.TB, o fake.Options, s seams) *world {
	t.Helper()

	client := etcdtest.Client(t)
	key, err := payment.NewServerKey(secret)
	must(t, err)

	w := &world{t: t, tenant: fmt.Sprintf("tenant-%d", tenants.Add(1)), seams: s}
	w.ledger = ledger.New(client, w.now)
	w.api = newAPI(t)

	o.Key = key
	o.NotifyURL = "http://dogker.example.com" + webhook.Path
	o.Client = &http.Client{Transport: memory{http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.hook.ServeHTTP(rw, r) })}}
	w.midtrans = fake.New(o)
	w.midtrans.Hold()
	t.Cleanup(w.midtrans.Close)

	w.restart()
	w.hook, err = webhook.New(webhook.Options{Keys: []payment.ServerKey{key}, Inbox: inbox{w}, Hint: w.hint}, nil)
	must(t, err)

	w.declare(
		&billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: "standard", CreationTimestamp: metav1.NewTime(w.now().Add(-time.Hour))}},
		&dogkerv1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "prepaid"}, Spec: dogkerv1.PlanSpec{
			PriceListName: "standard",
			Billing:       &dogkerv1.BillingRules{TopUps: &dogkerv1.TopUpRules{MinAmount: "10000", MaxAmount: "1000000", MaxPending: 2}},
		}},
		&dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: w.tenant}, Spec: dogkerv1.TenantSpec{PlanName: "prepaid"}},
		&billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: billingv1.AccountName}},
	)

	return w
}

// newAPI is a model of the API server, with the indexes that Setup makes.
func newAPI(t testing.TB) client.WithWatch {
	t.Helper()

	scheme := runtime.NewScheme()
	must(t, dogkerv1.AddToScheme(scheme))
	must(t, billingv1.AddToScheme(scheme))

	orders, err := topup.New(nil, nil, nil, nil, topup.Options{Cluster: cluster})
	must(t, err)

	return fakeclient.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&billingv1.TopUp{}, &billingv1.Refund{}, &billingv1.BillingAccount{}, &billingv1.Coupon{}).
		WithIndex(&billingv1.TopUp{}, topup.IndexOrder, orders.Order).
		WithIndex(&billingv1.Refund{}, refund.IndexTopUp, refund.TopUpOf).
		Build()
}

// loops is a process: engines with empty memories.
type loops struct {
	topUps, refunds reconcile.Reconciler
	orders          *topup.Controller
}

// newLoops starts a process that nothing is known to.
func (w *world) newLoops() *loops {
	w.t.Helper()

	var (
		kv        ledger.KV         = etcdtest.Client(w.t)
		api                         = w.api
		transport http.RoundTripper = memory{w.midtrans}
	)

	if w.seams.kv != nil {
		kv = w.seams.kv(kv)
	}
	if w.seams.api != nil {
		api = w.seams.api(api)
	}
	if w.seams.transport != nil {
		transport = w.seams.transport(transport)
	}

	key, err := payment.NewServerKey(secret)
	must(w.t, err)

	gateway, err := midtrans.New(midtrans.Config{Key: key, Transport: transport, BaseURL: "http://localhost", SnapURL: "http://localhost"}, nil)
	must(w.t, err)

	return w.wire(api, ledger.New(kv, w.now), gateway)
}

func (w *world) wire(api client.WithWatch, books *ledger.Ledger, gateway payment.Gateway) *loops {
	w.t.Helper()

	desk := billing.NewDesk(api)

	orders, err := topup.New(api, desk, books, gateway, topup.Options{Cluster: cluster, MerchantID: merchant, Now: w.now})
	must(w.t, err)

	refunds, err := refund.New(api, desk, books, gateway, refund.Options{Cluster: cluster, Now: w.now})
	must(w.t, err)

	options := func(name, finalizer string) engine.Options {
		return engine.Options{Name: name, Finalizer: finalizer, Strict: true, Jitter: func() float64 { return 0 }}
	}

	return &loops{
		topUps:  engine.New(api, orders, options(topup.Name, billingv1.FinalizerTopUp)),
		refunds: engine.New(api, refunds, options(refund.Name, billingv1.FinalizerRefund)),
		orders:  orders,
	}
}

// restart ends the process and starts another.
func (w *world) restart() { w.loops = w.newLoops() }

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.offset.Load())) }

func (w *world) wait(d time.Duration) { w.offset.Add(int64(d)) }

func (w *world) declare(objects ...client.Object) {
	w.t.Helper()

	for _, o := range objects {
		if o.GetUID() == "" {
			o.SetUID(types.UID(w.tenant + "-" + o.GetName()))
		}
		must(w.t, w.api.Create(context.Background(), o))
	}
}

// topUp declares one.
func (w *world) topUp(name string, edits ...func(*billingv1.TopUp)) {
	w.t.Helper()

	t := &billingv1.TopUp{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.tenant, Name: name, CreationTimestamp: metav1.NewTime(w.now().Truncate(time.Second))},
		Spec:       billingv1.TopUpSpec{Amount: billingv1.WholeAmount(fmt.Sprint(amount)), ExpirationSeconds: 86400},
	}
	for _, edit := range edits {
		edit(t)
	}
	w.declare(t)
}

// inbox keeps nothing: what is kept is the business of another test.
type inbox struct{ w *world }

// Put implements webhook.Inbox.
func (b inbox) Put(ctx context.Context, n payment.Notification) error {
	ok, err := b.w.loops.orders.Exists(ctx, n.OrderID)
	if err == nil && !ok {
		return webhook.ErrUnknownOrder
	}

	return err
}

// hint runs the pass that a notification asks for.
func (w *world) hint(order string) {
	for _, request := range w.loops.orders.Hint(context.Background(), order) {
		w.passTopUp(request.Name)
	}
}

func (w *world) passTopUp(name string) time.Duration {
	result, _ := w.loops.topUps.Reconcile(context.Background(), w.request(name))
	if one := w.get(name); one != nil && len(one.Status.Conditions) > 0 {
		check.Status(w.t, one)
	}

	return result.RequeueAfter
}

func (w *world) passRefund(name string) time.Duration {
	result, _ := w.loops.refunds.Reconcile(context.Background(), w.request(name))
	if r := w.getRefund(name); r != nil && len(r.Status.Conditions) > 0 {
		check.Status(w.t, r)
	}

	return result.RequeueAfter
}

func (w *world) request(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: w.tenant, Name: name}}
}

// look makes the next pass ask the gateway, and runs it.
func (w *world) look(name string) *billingv1.TopUp {
	w.t.Helper()
	w.loops.orders.Hint(context.Background(), w.orderID(name))
	w.passTopUp(name)

	return w.get(name)
}

// get reads a TopUp; nil when it is gone.
func (w *world) get(name string) *billingv1.TopUp {
	w.t.Helper()

	var t billingv1.TopUp
	if err := w.api.Get(context.Background(), w.request(name).NamespacedName, &t); err != nil {
		must(w.t, client.IgnoreNotFound(err))
		return nil
	}

	return &t
}

func (w *world) getRefund(name string) *billingv1.Refund {
	w.t.Helper()

	var r billingv1.Refund
	if err := w.api.Get(context.Background(), w.request(name).NamespacedName, &r); err != nil {
		must(w.t, client.IgnoreNotFound(err))
		return nil
	}

	return &r
}

func (w *world) orderID(name string) string {
	w.t.Helper()

	t := w.get(name)
	if t == nil {
		w.t.Fatalf("there is no TopUp %q", name)
	}

	id, err := w.loops.orders.OrderID(t)
	must(w.t, err)

	return id
}

// open declares a TopUp and opens its page.
func (w *world) open(name string, edits ...func(*billingv1.TopUp)) (order string) {
	w.t.Helper()
	w.topUp(name, edits...)
	w.passTopUp(name)

	return w.orderID(name)
}

// paid is a TopUp that was paid and credited.
func (w *world) paid(name string, method payment.Method, edits ...func(*billingv1.TopUp)) (order string) {
	w.t.Helper()
	order = w.open(name, edits...)

	_, err := w.midtrans.Pay(order, method)
	must(w.t, err)

	if t := w.look(name); t.Status.Phase != billingv1.TopUpCredited {
		w.t.Fatalf("it is not credited: %+v", t.Status)
	}

	return order
}

func (w *world) head() book.Head {
	w.t.Helper()

	h, err := w.ledger.Head(context.Background(), w.tenant)
	must(w.t, err)

	return h
}

// entries are those of the tenant, in words: type and amount.
func (w *world) entries() []string {
	w.t.Helper()

	var out []string
	for item, err := range w.ledger.Items(context.Background(), w.tenant, 0) {
		must(w.t, err)
		out = append(out, fmt.Sprintf("%s %s", item.Entry.Type, rupiah(item.Entry.Amount)))
	}

	return out
}

// verify holds everything that is stored against the entries.
func (w *world) verify() {
	w.t.Helper()

	if _, err := w.ledger.Verify(context.Background(), w.tenant); err != nil {
		w.t.Error(err)
	}
}

// rupiah is an amount in whole rupiah.
func rupiah(m money.Micro) string { return strings.TrimSuffix(m.String(), ".000000") }

// paidMoney is the tenant's own money.
func (w *world) paidMoney() string { return rupiah(w.head().Paid) }

// calls counts those that Midtrans has received.
func (w *world) calls(op payment.Operation) int {
	n := 0
	for _, c := range w.midtrans.Calls() {
		if op == "" || c.Op == op {
			n++
		}
	}

	return n
}

func planOf(w *world) *dogkerv1.Plan {
	w.t.Helper()

	var plan dogkerv1.Plan
	must(w.t, w.api.Get(context.Background(), client.ObjectKey{Name: "prepaid"}, &plan))

	return &plan
}
