package pricelist

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/outcome"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// list is one that was made so many hours before noon.
func list(name string, age int, changes ...func(*billingv1.PriceList)) *billingv1.PriceList {
	l := &billingv1.PriceList{ObjectMeta: metav1.ObjectMeta{
		Name: name, Generation: 1, CreationTimestamp: metav1.NewTime(noon.Add(-time.Duration(age) * time.Hour)),
	}}
	for _, change := range changes {
		change(l)
	}

	return l
}

func replaces(name string) func(*billingv1.PriceList) {
	return func(l *billingv1.PriceList) { l.Spec.Replaces = v1alpha1.DNSLabel(name) }
}

// from says from when the prices count, in hours after noon.
func from(hours int) func(*billingv1.PriceList) {
	return func(l *billingv1.PriceList) {
		at := metav1.NewTime(noon.Add(time.Duration(hours) * time.Hour))
		l.Spec.EffectiveFrom = &at
	}
}

func plan(name, prices string) client.Object {
	return &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlanSpec{PriceListName: v1alpha1.ObjectName(prices)}}
}

func tenant(name, plan string) client.Object {
	return &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.TenantSpec{PlanName: v1alpha1.DNSLabel(plan)}}
}

func reader(t *testing.T, objects ...client.Object) client.Reader {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(scheme), billingv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func TestReconcile(t *testing.T) {
	cases := map[string]struct {
		reason string
		// list is the one that is looked at, and others are what there is beside it.
		list   *billingv1.PriceList
		others []client.Object
		want   billingv1.PriceListStatus
		ready  string
		stalls bool
		after  time.Duration
	}{
		"InEffect": {
			reason: "It counts from when it was made.", list: list("a", 5),
			others: []client.Object{plan("p", "a"), plan("q", ""), tenant("x", "p"), tenant("y", "p"), tenant("z", "q")},
			want:   billingv1.PriceListStatus{Plans: 1, Tenants: 2}, ready: "InEffect",
		},
		"Scheduled": {
			reason: "It is looked at again when its time has come.", list: list("b", 1, replaces("a"), from(3)),
			others: []client.Object{list("a", 5), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{}, ready: "Scheduled", after: 3 * time.Hour,
		},
		"ToBeReplaced": {
			reason: "Until then it counts.", list: list("a", 5),
			others: []client.Object{list("b", 1, replaces("a"), from(3)), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{Plans: 1, Tenants: 1, ReplacedBy: "b"}, ready: "InEffect", after: 3 * time.Hour,
		},
		"Replaced": {
			reason: "Tenants follow; the plan still names it.", list: list("a", 5),
			others: []client.Object{list("b", 1, replaces("a")), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{Plans: 1, ReplacedBy: "b"}, ready: "Replaced",
		},
		"Successor": {
			reason: "It is for those who were charged by the other.", list: list("b", 1, replaces("a")),
			others: []client.Object{list("a", 5), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{Tenants: 1}, ready: "InEffect",
		},
		"Forked": {
			reason: "Two cannot take one place, and the first has it.", list: list("c", 1, replaces("a")),
			others: []client.Object{list("a", 5), list("b", 2, replaces("a")), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{}, ready: "Forked", stalls: true,
		},
		"FirstOfFork": {
			reason: "Whoever comes later takes nothing from it.", list: list("b", 2, replaces("a")),
			others: []client.Object{list("a", 5), list("c", 1, replaces("a")), plan("p", "a"), tenant("x", "p")},
			want:   billingv1.PriceListStatus{Tenants: 1}, ready: "InEffect",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := reader(t, append(tc.others, tc.list)...)
			c := New(r, r, WithClock(func() time.Time { return noon }))

			got, err := c.Reconcile(t.Context(), tc.list)
			stall, stalls := errors.AsType[*outcome.Stall](err)
			if stalls != tc.stalls || !stalls && err != nil || got.RequeueAfter != tc.after {
				t.Errorf("%s\ngot %+v, %v; want it again after %s", tc.reason, got, err, tc.after)
			}

			ready := conditions.Get(tc.list, conditions.Ready).Reason
			if stalls {
				ready = stall.Reason
			}
			check.Status(t, tc.list)
			tc.list.Status.Conditions = nil
			if diff := cmp.Diff(tc.want, tc.list.Status); diff != "" || ready != tc.ready {
				t.Errorf("%s\nReady is %s, want %s (-want +got):\n%s", tc.reason, ready, tc.ready, diff)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	account := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: "default"}}
	used := func(prices string, settled bool) Open {
		return func(context.Context, string) (book.Record, error) {
			return book.Record{PriceList: prices, Lines: []book.Line{{Workload: "web"}}, Settled: settled}, nil
		}
	}

	cases := map[string]struct {
		reason string
		list   *billingv1.PriceList
		// live is what there is; the cache knows of nothing.
		live []client.Object
		open Open
		goes bool
	}{
		"Unused":    {"Nobody needs it.", list("a", 5), []client.Object{plan("p", "other")}, nil, true},
		"Named":     {"A plan names it, whatever the cache has seen.", list("a", 5), []client.Object{plan("p", "a")}, nil, false},
		"InChain":   {"Tenants are charged by it, although no plan names it.", list("b", 1, replaces("a")), []client.Object{list("a", 5), plan("p", "a")}, nil, false},
		"MidChain":  {"Without it nobody finds the one in effect.", list("b", 2, replaces("a")), []client.Object{list("a", 5), list("c", 1, replaces("b")), plan("p", "a")}, nil, false},
		"Scheduled": {"Prices that were never charged may be called back.", list("b", 1, replaces("a"), from(1)), []client.Object{list("a", 5), plan("p", "a")}, nil, true},
		"Forked":    {"It replaces nothing.", list("c", 1, replaces("a")), []client.Object{list("a", 5), list("b", 2, replaces("a")), plan("p", "a")}, nil, true},
		"OpenUse":   {"What was used is still to be charged.", list("a", 5), []client.Object{account}, used("a", false), false},
		"Settled":   {"It has been charged.", list("a", 5), []client.Object{account}, used("a", true), true},
		"OtherUse":  {"It is charged by another one.", list("a", 5), []client.Object{account}, used("b", false), true},
		"NeverUsed": {"There is no ledger.", list("a", 5), []client.Object{account}, func(context.Context, string) (book.Record, error) { return book.Record{}, book.ErrNotFound }, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := metav1.NewTime(noon)
			there := tc.list.DeepCopy()
			tc.list.DeletionTimestamp = &now
			c := New(reader(t), reader(t, append(tc.live, there)...), WithClock(func() time.Time { return noon }), WithOpen(tc.open))

			got, err := c.Reconcile(t.Context(), tc.list)
			_, waits := errors.AsType[*outcome.Wait](err)
			if got.Finalized != tc.goes || waits == tc.goes || !waits && err != nil {
				t.Errorf("%s\ngot %+v, %v", tc.reason, got, err)
			}
		})
	}

	c := New(reader(t), reader(t, account), WithOpen(func(context.Context, string) (book.Record, error) { return book.Record{}, errors.New("no answer") }))
	l := list("a", 5)
	l.DeletionTimestamp = &metav1.Time{Time: noon}
	if got, err := c.Reconcile(t.Context(), l); err == nil || got.Finalized {
		t.Errorf("a ledger that does not answer may hold use: %+v, %v", got, err)
	}
}
