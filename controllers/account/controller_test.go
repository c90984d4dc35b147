package account

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
)

// seen is what people see of an account.
type seen struct {
	Conditions map[string]string
	Phase      billingv1.AccountPhase
	Available  string
	Rate       string
	Runway     string
	Missing    string
	// Stopped is the annotation on the tenant.
	Stopped string
	// Short is what the Tenant shows.
	Short v1alpha1.TenantBilling
}

func (o *office) seen() seen {
	a, t := o.account(), o.tenant()
	out := seen{
		Conditions: reasons(a), Phase: a.Status.Phase, Available: a.Status.Available, Rate: a.Status.RatePerHour,
		Runway: a.Status.Runway, Missing: a.Status.Missing, Stopped: t.Annotations[v1alpha1.AnnotationBillingSuspend],
	}
	if t.Status.Billing != nil {
		out.Short = *t.Status.Billing
		out.Short.DepletesAt = nil
	}

	return out
}

// TestAccountSays how an account stands, after what happened to it, once nothing is written any more.
func TestAccountSays(t *testing.T) {
	cases := map[string]struct {
		reason  string
		objects []client.Object
		do      func(*office)
		want    seen
	}{
		"Active": {
			"There is money for a hundred hours.", acme(),
			func(o *office) { o.must(paid("o1", 10_000)) },
			seen{
				Conditions: map[string]string{"Ready": "True Active"}, Phase: "Active", Available: "10000", Rate: "100", Runway: "100h",
				Short: v1alpha1.TenantBilling{Phase: "Active", Balance: "10000", RatePerHour: "100", Runway: "100h"},
			},
		},
		"Low": {
			"Less than the longest warning is left.", acme(),
			func(o *office) { o.must(paid("o1", 650)) },
			seen{
				Conditions: map[string]string{"Ready": "True Low", "BalanceLow": "True Low"}, Phase: "Low", Available: "650", Rate: "100", Runway: "6h30m",
				Short: v1alpha1.TenantBilling{Phase: "Low", Balance: "650", RatePerHour: "100", Runway: "6h30m"},
			},
		},
		"Grace": {
			"Nothing is left, and it runs on for an hour.", acme(),
			func(*office) {},
			seen{
				Conditions: map[string]string{"Ready": "True Grace", "BalanceLow": "True Grace"}, Phase: "Grace", Available: "0", Rate: "100", Runway: "0m",
				Short: v1alpha1.TenantBilling{Phase: "Grace", Balance: "0", RatePerHour: "100", Runway: "0m"},
			},
		},
		"Suspended": {
			"The hour is over.", acme(),
			func(o *office) { o.settle(); o.now = o.now.Add(time.Hour) },
			seen{
				Conditions: map[string]string{"Ready": "False Suspended", "Stalled": "True Suspended", "Suspended": "True InsufficientBalance", "BalanceLow": "True Low"},
				Phase:      "Suspended", Available: "0", Rate: "100", Runway: "0m", Missing: "100", Stopped: "InsufficientBalance",
				Short: v1alpha1.TenantBilling{Phase: "Suspended", Balance: "0", RatePerHour: "100", Runway: "0m"},
			},
		},
		"Resumed": {
			"It was paid: the annotation goes, and nothing else was changed.", acme(),
			func(o *office) { o.settle(); o.now = o.now.Add(time.Hour); o.settle(); o.must(paid("o1", 10_000)) },
			seen{
				Conditions: map[string]string{"Ready": "True Active"}, Phase: "Active", Available: "10000", Rate: "100", Runway: "100h",
				Short: v1alpha1.TenantBilling{Phase: "Active", Balance: "10000", RatePerHour: "100", Runway: "100h"},
			},
		},
		"PaidTooLittle": {
			"One rupiah starts nothing.", acme(),
			func(o *office) { o.settle(); o.now = o.now.Add(time.Hour); o.settle(); o.must(paid("o1", 1)) },
			seen{
				Conditions: map[string]string{"Ready": "False Suspended", "Stalled": "True Suspended", "Suspended": "True InsufficientBalance", "BalanceLow": "True Low"},
				Phase:      "Suspended", Available: "1", Rate: "100", Runway: "0m", Missing: "99", Stopped: "InsufficientBalance",
				Short: v1alpha1.TenantBilling{Phase: "Suspended", Balance: "1", RatePerHour: "100", Runway: "0m"},
			},
		},
		"Idle": {
			"Who wants nothing runs out of nothing.", acme(edit(func(c *v1alpha1.TenantContainer) { c.Spec.Replicas = new(int32(0)) })),
			func(o *office) { o.must(paid("o1", 5)) },
			seen{
				Conditions: map[string]string{"Ready": "True Active"}, Phase: "Active", Available: "5", Rate: "0",
				Short: v1alpha1.TenantBilling{Phase: "Active", Balance: "5", RatePerHour: "0"},
			},
		},
		"BudgetCapped": {
			"More was used this month than the tenant wanted.",
			acme(edit(func(a *billingv1.BillingAccount) {
				a.Spec.Budget = &billingv1.Budget{MonthlyCap: "50", Action: billingv1.BudgetSuspend}
			})),
			func(o *office) { o.must(paid("o1", 100_000)).use(30 * time.Minute) },
			seen{
				Conditions: map[string]string{"Ready": "False BudgetCapped", "Stalled": "True BudgetCapped", "Suspended": "True BudgetCapped"},
				Phase:      "BudgetCapped", Available: "99950", Rate: "100", Runway: "999h30m", Stopped: "BudgetCapped",
				Short: v1alpha1.TenantBilling{Phase: "BudgetCapped", Balance: "99950", RatePerHour: "100", Runway: "999h30m"},
			},
		},
		"Hold": {
			"The platform has stopped it.",
			acme(edit(func(a *billingv1.BillingAccount) { a.Spec.Hold = &billingv1.AccountHold{Reason: "Abuse"} })),
			func(o *office) { o.must(paid("o1", 10_000)) },
			seen{
				Conditions: map[string]string{"Ready": "False Hold", "Stalled": "True Hold", "Suspended": "True Hold"},
				Phase:      "Hold", Available: "10000", Rate: "100", Runway: "100h", Stopped: "Hold",
				Short: v1alpha1.TenantBilling{Phase: "Hold", Balance: "10000", RatePerHour: "100", Runway: "100h"},
			},
		},
		"NotBilled": {
			"Who is not billed any more is not stopped for an old debt.", acme(),
			func(o *office) {
				o.settle()
				o.now = o.now.Add(time.Hour)
				o.settle()
				change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) { p.Spec.PriceListName = "" })
			},
			seen{Conditions: map[string]string{"Ready": "True NotBilled"}, Available: "0"},
		},
		"PriceListGone": {
			"A slip of the platform changes nothing about what was decided.", acme(),
			func(o *office) {
				o.settle()
				o.now = o.now.Add(time.Hour)
				o.settle()
				change(o, &v1alpha1.Plan{ObjectMeta: meta("", "prepaid")}, func(p *v1alpha1.Plan) { p.Spec.PriceListName = "stan" })
			},
			seen{
				Conditions: map[string]string{"Ready": "False PriceListNotFound", "Stalled": "True PriceListNotFound", "Suspended": "True InsufficientBalance"},
				Phase:      "Suspended", Available: "0", Missing: "1", Stopped: "InsufficientBalance",
				Short: v1alpha1.TenantBilling{Phase: "Suspended", Balance: "0"},
			},
		},
		"NotInEffect": {
			"Prices of the future charge nobody.",
			acme(edit(func(l *billingv1.PriceList) { l.Spec.EffectiveFrom = stamp(time.Now().Add(24 * time.Hour)) })),
			func(*office) {},
			seen{Conditions: map[string]string{"Ready": "True NotInEffect"}, Phase: "Active", Available: "0", Short: v1alpha1.TenantBilling{Phase: "Active", Balance: "0"}},
		},
		"PlanGone": {
			"Without its plan nothing is known.", acme(edit(func(t *v1alpha1.Tenant) { t.Spec.PlanName = "gone" })),
			func(*office) {},
			seen{
				Conditions: map[string]string{"Ready": "False PlanNotFound", "Stalled": "True PlanNotFound"}, Phase: "Active", Available: "0",
				Short: v1alpha1.TenantBilling{Phase: "Active", Balance: "0"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, tc.objects...)
			before := o.tenant().Spec
			tc.do(o)
			o.settle()

			if diff := cmp.Diff(tc.want, o.seen()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(before, o.tenant().Spec); diff != "" {
				t.Errorf("the spec of the tenant has changed:\n%s", diff)
			}
		})
	}
}

func TestTroubleWithLedger(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		fail   error
		want   map[string]string
	}{
		"Broken": {"A person has to look.", fmt.Errorf("read head: %w", book.ErrBroken), map[string]string{"Ready": "False LedgerBroken", "Stalled": "True LedgerBroken"}},
		"Newer":  {"An older program leaves it alone.", fmt.Errorf("read head: %w", book.ErrNewer), map[string]string{"Ready": "False LedgerUnavailable", "Stalled": "True LedgerUnavailable"}},
		"Away":   {"What runs goes on.", errors.New("no answer"), map[string]string{"Ready": "Unknown LedgerUnavailable", "Reconciling": "True LedgerUnavailable"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t, acme()...)
			o.must(paid("o1", 10_000))
			o.settle()
			before := o.account().Status.Available

			o.books.fail = tc.fail
			if after := o.pass(); after <= 0 {
				t.Errorf("it is not looked at again")
			}
			if diff := cmp.Diff(tc.want, reasons(o.account())); diff != "" || o.account().Status.Available != before {
				t.Errorf("%s\n%q, was %q (-want +got):\n%s", tc.reason, o.account().Status.Available, before, diff)
			}
		})
	}
}

// TestQuiet: time alone writes nothing, and a minute of use one status.
func TestQuiet(t *testing.T) {
	o := newOffice(t, acme()...)
	o.must(paid("o1", 10_000)).use(90 * time.Minute)
	o.settle()

	if a := o.account(); a.Status.DepletesAt == nil || a.Status.ChargedThrough == nil {
		t.Errorf("while something is charged it is told until when that lasts: %+v", a.Status)
	}

	depletes := o.account().Status.DepletesAt
	for range 5 {
		o.use(time.Minute)
		if o.pass(); o.writes > 1 {
			t.Errorf("a minute of use makes %d writes", o.writes)
		}
		if now := o.account().Status.DepletesAt; !now.Equal(depletes) {
			t.Errorf("the end moves from %s to %s at an even rate", depletes, now)
		}
	}

	// What is used no more is forgotten within two hours; then there is silence.
	o.now = o.now.Add(2 * time.Hour)
	o.settle()
	for range 20 {
		o.now = o.now.Add(47 * time.Minute)
		if o.pass(); o.writes+o.books.writes > 0 {
			t.Errorf("time alone made %d writes, and %d to the ledger", o.writes, o.books.writes)
		}
	}
}

// TestStatusCanBeDeleted: the next pass writes the same again, and asks the ledger for nothing.
func TestStatusCanBeDeleted(t *testing.T) {
	o := newOffice(t, acme(edit(func(a *billingv1.BillingAccount) { a.Spec.CouponCodes = []billingv1.CouponCode{"gift", "none"} }))...)
	if err := o.store.Create(o.Context(), gift(10)); err != nil {
		t.Fatal(err)
	}
	o.must(paid("o1", 100)).settle()
	want, balance := o.account().Status, o.books.state("acme").Head.Balance()

	a := o.account()
	a.Status = billingv1.BillingAccountStatus{}
	if err := o.store.Status().Update(o.Context(), a); err != nil {
		t.Fatal(err)
	}
	o.settle()

	got := o.account().Status
	got.Conditions, want.Conditions = nil, nil
	if diff := cmp.Diff(want, got); diff != "" || o.books.state("acme").Head.Balance() != balance {
		t.Errorf("the status is another one (-want +got):\n%s", diff)
	}
}
