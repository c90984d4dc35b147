package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// objects is an API server's store.
func objects(t *testing.T, all ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{dogkerv1.AddToScheme, billingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}

	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(all...).Build()
}

// priceList is one that was made before the start, in effect from some hours after it on, or at once if that is below zero.
func priceList(name, replaces string, from int, cpu, storage billingv1.Amount) *billingv1.PriceList {
	l := &billingv1.PriceList{
		ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(start.Add(-time.Hour))},
		Spec:       billingv1.PriceListSpec{Replaces: dogkerv1.DNSLabel(replaces), Prices: billingv1.Prices{CPU: cpu, Storage: storage}},
	}
	if from >= 0 {
		l.Spec.EffectiveFrom = new(metav1.NewTime(start.Add(time.Duration(from) * time.Hour)))
	}

	return l
}

func planOf(name, list string, rules *dogkerv1.BillingRules) *dogkerv1.Plan {
	return &dogkerv1.Plan{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: dogkerv1.PlanSpec{PriceListName: dogkerv1.ObjectName(list), Billing: rules},
	}
}

func tenantWith(name, plan string) *dogkerv1.Tenant {
	return &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: dogkerv1.TenantSpec{PlanName: dogkerv1.DNSLabel(plan)}}
}

// TestTariffs: prices hold for whole hours, whatever becomes of plans meanwhile, also for a process that has begun anew.
func TestTariffs(t *testing.T) {
	etcd := openStore(t)
	l, term := open(t, etcd)
	tenant := newTenant()
	o := objects(t, tenantWith(tenant, "a"), planOf("a", "p1", nil), planOf("b", "p2", nil), planOf("free", "", nil), planOf("later", "p3", nil),
		priceList("p1", "", -1, "60", "6"), priceList("p2", "", -1, "90", "9"), priceList("p3", "", 5, "1", "1"))
	now := start.Add(time.Minute)
	fresh := func() *Tariffs {
		return NewTariffs(billing.NewDesk(o), New(etcd, fixedClock), func() time.Time { return now })
	}
	kept := NewTariffs(billing.NewDesk(o), l, func() time.Time { return now })
	want := func(why string, tariffs *Tariffs, minute int64, list string) Tariff {
		t.Helper()
		got, err := tariffs.Tariff(t.Context(), tenant, firstWindow+minute)
		if err != nil || got.PriceList != list || (list != "") != (len(got.Prices) > 0) {
			t.Errorf("%s: got %q, %v, want %q", why, got.PriceList, err, list)
		}

		return got
	}
	move := func(plan string) {
		t.Helper()
		if err := o.Update(t.Context(), withPlan(t, o, tenant, plan)); err != nil {
			t.Fatal(err)
		}
	}

	want("as the plan says", kept, 0, "p1")
	must(t, l, term, tenant, charge(0, 10, cpu("web", 600, 60)))
	move("b")
	want("the hour has begun", kept, 10, "p1")
	want("the record of the hour says so", fresh(), 10, "p1")
	must(t, l, term, tenant, book.Settle{})
	want("it says so when it is settled", fresh(), 10, "p1")
	want("the next hour", kept, 60, "p2")
	want("the next hour", fresh(), 60, "p2")
	move("free")
	want("not billed", fresh(), 120, "")
	move("later")
	want("not in effect yet", fresh(), 120, "")
	move("b")
	want("billed again, in an hour in which it was not", kept, 121, "p2")

	if err := o.Delete(t.Context(), planOf("b", "", nil)); err != nil {
		t.Fatal(err)
	}
	if gone := want("the plan is gone: what was known last", kept, 500, "p2"); gone.Decide != nil {
		t.Error("something follows for a tenant whose rules are gone")
	}
	want("the plan is gone and nothing is known", fresh(), 500, "")
}

// withPlan is a tenant with another plan.
func withPlan(t *testing.T, o client.Client, tenant, plan string) *dogkerv1.Tenant {
	t.Helper()
	var out dogkerv1.Tenant
	if err := o.Get(t.Context(), client.ObjectKey{Name: tenant}, &out); err != nil {
		t.Fatal(err)
	}
	out.Spec.PlanName = dogkerv1.DNSLabel(plan)

	return &out
}

// TestTariffsUnread: what cannot be read now is asked for again, and nobody is charged for nothing meanwhile.
func TestTariffsUnread(t *testing.T) {
	failing := interceptor.NewClient(objects(t), interceptor.Funcs{
		Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
			return errLost
		},
	})
	_, err := NewTariffs(billing.NewDesk(failing), New(openStore(t), fixedClock), fixedClock).Tariff(t.Context(), newTenant(), firstWindow)
	if !errors.Is(err, errLost) {
		t.Errorf("got %v", err)
	}
}

// TestPricedWhileStopped: of windows in which compute is free only volumes are priced, unless they are free, too; who is not
// billed leaves nothing.
func TestPricedWhileStopped(t *testing.T) {
	c := measured("acme", -1, 0, 4)
	for i := range c.Windows {
		c.Windows[i].Lines = append(c.Windows[i].Lines, disk)
	}
	tariff := Tariff{PriceList: "p1", Prices: map[money.Meter]money.Micro{money.CPU: rupiah(60), money.Storage: rupiah(6)}}
	cases := map[string]struct {
		reason          string
		head            book.Head
		change          func(*Tariff)
		cpu, disk, free int64
	}{
		"Runs":        {reason: "All of it.", cpu: 240, disk: 240},
		"Stopped":     {reason: "Volumes are kept.", head: book.Head{Stopped: true}, disk: 240, free: firstWindow + 3},
		"RunsAgain":   {reason: "From the window after the one in which it does.", head: book.Head{FreeThrough: firstWindow + 1}, cpu: 120, disk: 240, free: firstWindow + 1},
		"LongAgo":     {reason: "It runs by now.", head: book.Head{FreeThrough: firstWindow - 1}, cpu: 240, disk: 240},
		"Waived":      {reason: "The plan gives volumes for nothing meanwhile.", head: book.Head{FreeThrough: firstWindow + 1}, change: func(t *Tariff) { t.WaivesStorage = true }, cpu: 120, disk: 120, free: firstWindow + 1},
		"NotBilled":   {reason: "There is nothing to write down.", change: func(t *Tariff) { t.PriceList = "" }},
		"FreeOfPrice": {reason: "A price of nothing leaves no line.", change: func(t *Tariff) { t.Prices = map[money.Meter]money.Micro{money.Storage: 1} }, disk: 240},
	}
	for name, x := range cases {
		t.Run(name, func(t *testing.T) {
			tariff := tariff
			if x.change != nil {
				x.change(&tariff)
			}
			got := priced(c, tariff, x.head)
			seconds := map[money.Meter]int64{}
			for _, l := range got.Lines {
				seconds[l.Meter] += l.Seconds
			}
			if seconds[money.CPU] != x.cpu || seconds[money.Storage] != x.disk || len(seconds) > 2 || got.Free != x.free {
				t.Errorf("%s\n%v, free through %d", x.reason, seconds, got.Free)
			}
		})
	}
}

// TestCutOverIsNoticed: a process that has not heard of a stop works its charge out anew.
func TestCutOverIsNoticed(t *testing.T) {
	etcd := openStore(t)
	l, term := open(t, etcd)
	tenant := newTenant()
	m := NewMetering(l, flat{}, term)
	first := m.charged(t, tenant, 0, measured(tenant, -1, 0, 5))

	other := New(etcd, fixedClock)
	stop := func(book.Head, book.Outcome) book.Decision { return book.Decision{Phase: "Hold", Stopped: true} }
	if _, err := other.Do(t.Context(), book.Request{Tenant: tenant, Op: paid("o1", 1000), Decide: stop}); err != nil {
		t.Fatal(err)
	}
	m.charged(t, tenant, first, measured(tenant, 4, 5, 5))
	h, err := other.Head(t.Context(), tenant)
	if err != nil || h.ChargedThrough != firstWindow+9 || h.Used != rupiah(5) || h.AccruedTotal() != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := l.Verify(t.Context(), tenant); err != nil {
		t.Error(err)
	}
}
