package account

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// start is a whole hour in the middle of a month, as accounts count it.
var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// office is a controller on a store and a ledger in memory. One hour of its one CPU costs 100 rupiah.
type office struct {
	*testing.T

	store  client.Client
	books  *books
	tasks  []swarmobj.Task
	blind  error
	said   []string
	writes int
	now    time.Time
	meters Metering

	controller *Controller
	loop       *engine.Engine[*billingv1.BillingAccount]
}

func newOffice(t *testing.T, objects ...client.Object) *office {
	t.Helper()

	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, billingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}

	o := &office{T: t, now: start}
	o.books = &books{now: func() time.Time { return o.now }, states: map[string]book.State{}, done: map[string]done{}, coupons: map[string]int64{}}
	raw := fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&billingv1.BillingAccount{}, &v1alpha1.Tenant{}, &billingv1.TopUp{}).
		WithObjects(objects...).Build()
	o.store = interceptor.NewClient(raw, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			o.writes++

			return c.Patch(ctx, obj, patch, opts...)
		},
		SubResourcePatch: func(ctx context.Context, _ client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			o.writes++

			return raw.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	})
	o.controller = New(o.store, o.store, billing.NewDesk(o.store), o.books, o, o,
		WithClock(func() time.Time { return o.now }), WithMetering(func() Metering { return o.meters }))
	o.loop = engine.New(o.store, o.controller, engine.Options{
		Name: Name, Finalizer: billingv1.FinalizerAccount, Recorder: o, Strict: true, Jitter: func() float64 { return 0 },
	})

	return o
}

// acme is a tenant with a plan, prices, a namespace, an account, and a container of one CPU.
func acme(changes ...func(client.Object)) []client.Object {
	out := []client.Object{
		&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme", UID: "t-1", Generation: 1}, Spec: v1alpha1.TenantSpec{PlanName: "prepaid"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: map[string]string{v1alpha1.LabelTenant: "acme"}}},
		&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "prepaid"}, Spec: v1alpha1.PlanSpec{PriceListName: "standard", Billing: &v1alpha1.BillingRules{}}},
		&billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{Name: "standard"}, Spec: billingv1.PriceListSpec{Prices: billingv1.Prices{CPU: "100"}}},
		&billingv1.BillingAccount{
			ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "default", UID: "a-1", Generation: 1, Finalizers: []string{billingv1.FinalizerAccount}},
			Spec:       billingv1.BillingAccountSpec{UTCOffsetHours: 7},
		},
		container("web"),
	}
	for _, change := range changes {
		for _, o := range out {
			change(o)
		}
	}

	return out
}

// edit changes what is of a type.
func edit[T client.Object](change func(T)) func(client.Object) {
	return func(o client.Object) {
		if o, ok := o.(T); ok {
			change(o)
		}
	}
}

func container(name string) *v1alpha1.TenantContainer {
	cpu := resource.MustParse("1")

	return &v1alpha1.TenantContainer{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: name},
		Spec:       v1alpha1.TenantContainerSpec{Resources: &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{CPU: &cpu}}},
	}
}

// TenantTasks implements Running.
func (o *office) TenantTasks(string) ([]swarmobj.Task, error) { return o.tasks, o.blind }

// Event implements engine.Recorder.
func (o *office) Event(object runtime.Object, eventType, reason, message string) {
	o.said = append(o.said, fmt.Sprintf("%T %s %s: %s", object, eventType, reason, message))
}

// runs puts so many tasks of the tenant into the swarm, which have been running since then.
func (o *office) runs(n int, since time.Time) {
	o.tasks = nil
	for range n {
		o.tasks = append(o.tasks, swarmobj.Task{State: swarm.TaskStateRunning, Since: since})
	}
}

// pass runs one pass and returns when the next is due. Writes are counted anew.
func (o *office) pass() time.Duration {
	o.Helper()
	o.writes, o.books.writes, o.said = 0, 0, nil

	result, err := o.loop.Reconcile(o.Context(), reconcile.Request{NamespacedName: keyOf("acme")})
	if err != nil {
		o.Fatal(err)
	}
	// The status of one that the pass itself has deleted is written by the next.
	if a := o.find(); a != nil && (a.DeletionTimestamp.IsZero() || len(a.Status.Conditions) > 0) {
		check.Status(o, a)
	}

	return result.RequeueAfter
}

// settle runs passes until nothing is written any more.
func (o *office) settle() {
	o.Helper()

	var said []string
	for range 10 {
		after := o.pass()
		said = append(said, o.said...)

		if retry := after > 0 && after < time.Second; retry {
			time.Sleep(after) // Of a write conflict, which the engine tries again without a word.
		} else if o.writes+o.books.writes == 0 {
			o.said = said

			return
		}
	}

	o.Fatalf("ten passes, and still %d writes and %d to the ledger", o.writes, o.books.writes)
}

// find is the account; nil when there is none.
func (o *office) find() *billingv1.BillingAccount {
	o.Helper()

	a := &billingv1.BillingAccount{}
	if err := o.store.Get(o.Context(), keyOf("acme"), a); client.IgnoreNotFound(err) != nil {
		o.Fatal(err)
	} else if err != nil {
		return nil
	}

	return a
}

// account is the account, which must be there.
func (o *office) account() *billingv1.BillingAccount {
	o.Helper()

	a := o.find()
	if a == nil {
		o.Fatal("there is no account")
	}

	return a
}

func (o *office) tenant() *v1alpha1.Tenant {
	o.Helper()

	t := &v1alpha1.Tenant{}
	if err := o.store.Get(o.Context(), client.ObjectKey{Name: "acme"}, t); err != nil {
		o.Fatal(err)
	}

	return t
}

// change edits an object as a person does.
func change[T client.Object](o *office, object T, edit func(T)) {
	o.Helper()

	if err := o.store.Get(o.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		o.Fatal(err)
	}

	edit(object)
	object.SetGeneration(object.GetGeneration() + 1)

	if err := o.store.Update(o.Context(), object); err != nil {
		o.Fatal(err)
	}
}

// must writes to the ledger as others do, with the decision that goes with it.
func (o *office) must(ops ...book.Op) *office {
	o.Helper()

	for _, op := range ops {
		terms, err := billing.NewDesk(o.store).Terms(o.Context(), "acme")
		if err != nil {
			o.Fatal(err)
		}
		if _, err := o.books.Do(o.Context(), book.Request{Tenant: "acme", Op: op, Decide: terms.Decide(o.books.now)}); err != nil {
			o.Fatalf("%#v: %v", op, err)
		}
	}

	return o
}

// use lets time pass in which one CPU is used and charged.
func (o *office) use(d time.Duration) *office {
	o.Helper()

	for end := o.now.Add(d); o.now.Before(end); {
		o.now = o.now.Add(time.Minute)

		through := book.WindowAt(o.now) - 1
		o.must(book.Charge{
			From: through, Through: through, PriceList: "standard", Settle: book.LastOfHour(through),
			Lines: []book.Line{{Workload: "web", Meter: money.CPU, Quantity: 1_000_000_000, Seconds: 60, Price: 100 * money.Rupiah}},
		})
	}

	return o
}

func paid(order string, rupiah int64) book.TopUp {
	return book.TopUp{Order: order, Transaction: "tx-" + order, Amount: money.Micro(rupiah) * money.Rupiah}
}

// reasons are those of the conditions that are there.
func reasons(o conditions.Object) map[string]string {
	out := map[string]string{}
	for _, c := range o.GetConditions() {
		out[c.Type] = string(c.Status) + " " + c.Reason
	}

	return out
}

// books is a ledger in memory.
type books struct {
	now     func() time.Time
	fail    error
	writes  int
	states  map[string]book.State
	done    map[string]done
	coupons map[string]int64
	entries []book.Entry
	// order is the one that operations are about.
	order book.Order
}

type done struct {
	hash    string
	entries []book.Entry
}

func (b *books) Head(_ context.Context, tenant string) (book.Head, error) {
	if b.fail != nil {
		return book.Head{}, b.fail
	}

	return b.state(tenant).Head.Clone(), nil
}

func (b *books) state(tenant string) book.State {
	s, known := b.states[tenant]
	if !known {
		s.Head = book.NewHead(tenant)
	}

	return s
}

func (b *books) Do(_ context.Context, req book.Request) (book.Result, error) {
	if b.fail != nil {
		return book.Result{}, b.fail
	}

	before := b.state(req.Tenant)
	if d, again := b.done[req.Op.Key()]; again && req.Op.Key() != "" {
		if d.hash != book.RequestHash(req.Op) {
			return book.Result{}, book.ErrConflict
		}

		return book.Result{Head: before.Head.Clone(), Entries: d.entries, Replayed: true}, nil
	}
	coupon, limit, redeems := book.CouponOf(req.Op)
	if redeems && b.coupons[coupon] >= limit {
		return book.Result{}, book.ErrUsedUp
	}

	if book.OrderOf(req.Op, before.Head) != "" {
		before.Order = b.order
	}
	out, err := book.Apply(before, req.Op, req.Decide, b.now())
	if err != nil {
		return book.Result{}, err
	}
	if len(out.Entries) > 0 || out.RecordChanged || string(out.State.Head.Encode()) != string(before.Head.Encode()) {
		b.writes++
	}
	if redeems {
		b.coupons[coupon]++
	}

	b.entries = append(b.entries, out.Entries...)
	b.done = maps.Clone(b.done)
	b.done[req.Op.Key()] = done{book.RequestHash(req.Op), out.Entries}
	out.State.Order = book.Order{}
	b.states[req.Tenant] = out.State

	return book.Result{Head: out.State.Head.Clone(), Entries: out.Entries}, nil
}
