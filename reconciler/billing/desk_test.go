package billing

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
)

// desk reads the objects.
func desk(t *testing.T, objects ...client.Object) *Desk {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{dogkerv1.AddToScheme, billingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}

	return NewDesk(fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build())
}

func TestDesk(t *testing.T) {
	tenant := func() *dogkerv1.Tenant {
		return &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}, Spec: dogkerv1.TenantSpec{PlanName: "small"}}
	}
	small := func(list dogkerv1.ObjectName) *dogkerv1.Plan {
		return &dogkerv1.Plan{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: dogkerv1.PlanSpec{PriceListName: list}}
	}
	container := func(namespace, name string) *dogkerv1.TenantContainer {
		return &dogkerv1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}, Spec: dogkerv1.TenantContainerSpec{
			Resources: &dogkerv1.Resources{Requests: &dogkerv1.ResourceRequests{CPU: new(resource.MustParse("500m"))}},
		}}
	}
	vast := func(name string) *dogkerv1.TenantContainer {
		tc := container("acme", name)
		tc.Spec.Replicas, tc.Spec.Resources.Requests.CPU = new(int32(10_000)), new(resource.MustParse("1000"))

		return tc
	}
	priced := func(name, replaces string, from int, cpu billingv1.Amount) *billingv1.PriceList {
		l := list(name, replaces, 0, from)
		l.Spec.Prices.CPU = cpu

		return &l
	}
	held := &billingv1.BillingAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: billingv1.AccountName},
		Spec:       billingv1.BillingAccountSpec{Hold: &billingv1.AccountHold{Reason: "Abuse"}},
	}
	paused := tenant()
	paused.Annotations = map[string]string{dogkerv1.AnnotationSuspend: "holidays"}
	stopped := tenant()
	stopped.Annotations = map[string]string{dogkerv1.AnnotationBillingSuspend: "Suspended"}

	cases := map[string]struct {
		reason  string
		objects []client.Object
		list    string
		rate    money.Micro
		hold    bool
		err     error
		gone    bool
	}{
		"Billed": {
			reason:  "What the tenant declares costs what its plan's prices say, and what others declare costs it nothing.",
			objects: []client.Object{tenant(), small("a"), priced("a", "", -1, "100"), container("acme", "web"), container("acme", "db"), container("other", "web")},
			list:    "a", rate: rupiah(100),
		},
		"Replaced": {
			reason:  "The plan names the first list, the second holds.",
			objects: []client.Object{tenant(), small("a"), priced("a", "", -1, "100"), priced("b", "a", 1, "300"), container("acme", "web")},
			list:    "b", rate: rupiah(150),
		},
		"MoreThanCanBeCounted": {
			reason:  "Its rate is the highest there is, and it is charged for what runs.",
			objects: []client.Object{tenant(), small("a"), priced("a", "", -1, "999999999999"), vast("web"), vast("db"), vast("cache")},
			list:    "a", rate: 1<<63 - 1,
		},
		"WithAnAccount":   {reason: "Its rules count.", objects: []client.Object{tenant(), small("a"), priced("a", "", -1, "100"), held}, list: "a", hold: true},
		"PausedByAPerson": {reason: "Nothing is to run.", objects: []client.Object{paused, small("a"), priced("a", "", -1, "100"), container("acme", "web")}, list: "a"},
		"StoppedByBilling": {
			reason:  "It is to run again, and must be able to pay for that.",
			objects: []client.Object{stopped, small("a"), priced("a", "", -1, "100"), container("acme", "web")}, list: "a", rate: rupiah(50),
		},
		"NotBilled":   {reason: "The plan names no prices; the account's rules count all the same.", objects: []client.Object{tenant(), small(""), held}, hold: true, err: ErrNotBilled},
		"NotInEffect": {reason: "Its prices are for later.", objects: []client.Object{tenant(), small("a"), priced("a", "", 9, "100")}, err: ErrNotInEffect},
		"NoPriceList": {reason: "Somebody has named what is not there, which is a kind of not yet.", objects: []client.Object{tenant(), small("a")}, err: ErrNoPriceList},
		"NoTenant":    {reason: "It is gone.", gone: true},
		"NoPlan":      {reason: "It is gone.", objects: []client.Object{tenant()}, gone: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := desk(t, c.objects...).TermsAt(t.Context(), "acme", start.Add(2*time.Hour))
			if c.err != nil && !errors.Is(err, c.err) || (err == nil) != (c.err == nil && !c.gone) || apierrors.IsNotFound(err) != c.gone {
				t.Fatalf("%s\ngot %v, want %v", c.reason, err, c.err)
			}
			if c.err != nil && got.Billed() || errors.Is(err, ErrNoPriceList) && !errors.Is(err, ErrNotInEffect) {
				t.Errorf("%s\n%v with %+v", c.reason, err, got.PriceList)
			}
			if err == nil && got.PriceList.Name != c.list || got.Rate != c.rate || got.Rules.Hold != c.hold {
				t.Errorf("%s\ngot %+v at %s, held: %v", c.reason, got.PriceList, got.Rate, got.Rules.Hold)
			}
		})
	}
}

func TestDeskPaying(t *testing.T) {
	plan := func(name string, list dogkerv1.ObjectName) *dogkerv1.Plan {
		return &dogkerv1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: dogkerv1.PlanSpec{PriceListName: list}}
	}
	tenant := func(name string, plan dogkerv1.DNSLabel) *dogkerv1.Tenant {
		return &dogkerv1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: dogkerv1.TenantSpec{PlanName: plan}}
	}
	d := desk(t, plan("priced", "nowhere"), plan("free", ""), tenant("acme", "priced"), tenant("gratis", "free"), tenant("lost", "gone"))

	got, err := d.Paying(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"acme": true}, got); diff != "" {
		t.Errorf("whose plan names prices pays, whether or not the prices are there (-want +got):\n%s", diff)
	}
}
