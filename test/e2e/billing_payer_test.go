//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// A minute is charged when a sample was taken 17 seconds after its end, and samples are 15 seconds apart. What happens
// because of it has happened before the next minute is over.
const (
	minute  = time.Minute
	charged = minute + 17*time.Second + 15*time.Second + 30*time.Second
)

// Prices of the tests: a task costs 10,000 rupiah a minute.
const (
	taskHour   = "600000"
	taskMinute = 10_000
)

// payer is a tenant that pays in advance.
type payer struct {
	*tenant

	bank    *bank
	notices *mailbox
}

// rash are rules by which everything happens at once: money for a minute is enough, and there is no grace.
func rash() *v1alpha1.BillingRules {
	return &v1alpha1.BillingRules{MinRunwaySeconds: 60, GracePeriodSeconds: new(int64(0))}
}

// payer makes a tenant with prices and a plan of its own. It is warned a minute before its money is gone. It goes with its
// cell: what was paid keeps a tenant for ten minutes, in which a bank may take it back.
func (b *billingCell) payer(t *testing.T, name string, rules *v1alpha1.BillingRules) *payer {
	t.Helper()

	p := &payer{tenant: &tenant{cell: b.cell, t: t, name: name}, bank: b.bank, notices: b.notices}
	p.priced(name, billing.Prices{Replica: taskHour})
	t.Cleanup(p.diagnose)
	p.establish(&v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfilePrivileged, PriceListName: v1alpha1.ObjectName(name), Billing: rules,
		Quota: &v1alpha1.Quota{Containers: new(int64(20)), Replicas: new(int64(40))},
	}})
	await(t, soon, "tenant "+name+" has an account", func() error {
		_, err := p.account()

		return err
	})
	p.wants(func(a *billing.BillingAccount) { a.Spec.Warnings.Runways = []billing.Runway{"1m"} })

	return p
}

func (p *payer) priced(name string, prices billing.Prices) {
	p.t.Helper()

	list := &billing.PriceList{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: billing.PriceListSpec{Prices: prices}}
	if err := p.api.Create(p.t.Context(), list); err != nil {
		p.t.Fatal(err)
	}
}

func (p *payer) account() (*billing.BillingAccount, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var a billing.BillingAccount
	err := p.api.Get(ctx, client.ObjectKey{Namespace: p.name, Name: billing.AccountName}, &a)

	return &a, err
}

// wants changes what the account wants.
func (p *payer) wants(change func(*billing.BillingAccount)) {
	p.t.Helper()

	before, err := p.account()
	if err != nil {
		p.t.Fatal(err)
	}
	after := before.DeepCopy()
	change(after)
	if err := p.api.Patch(p.t.Context(), after, client.MergeFrom(before)); err != nil {
		p.t.Fatalf("change the account of %q: %v", p.name, err)
	}
}

// diagnose prints what there is to know about the tenant's money when the test has failed.
func (p *payer) diagnose() {
	if !p.t.Failed() {
		return
	}
	p.tenant.diagnose()
	for _, args := range [][]string{{"get", "tenant", p.name}, {"get", "billingaccounts,topups,refunds"}} {
		out, err := p.tryKubectl(append(args, "--output", "yaml")...)
		p.t.Logf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	out, err := p.dogker("ledger", "show", "--namespace", p.name)
	p.t.Logf("the ledger of %q: %v\n%s", p.name, err, out)
	p.t.Logf("what %q was told:\n%s", p.name, strings.Join(p.notices.about(`"`+p.name+`"`), "\n"))
}

// phase waits until the account is in one of the phases.
func (p *payer) phase(within time.Duration, want ...billing.AccountPhase) *billing.BillingAccount {
	p.t.Helper()

	var a *billing.BillingAccount
	await(p.t, within, fmt.Sprintf("the account of %q is in phase %v", p.name, want), func() (err error) {
		if a, err = p.account(); err != nil {
			return err
		}
		if !slices.Contains(want, a.Status.Phase) {
			return fmt.Errorf("it is %+v", a.Status)
		}

		return nil
	})

	return a
}

// runs waits until the account runs.
func (p *payer) runs(within time.Duration) {
	p.t.Helper()
	p.phase(within, "Active", "Low")
}

// topUp asks for a payment and waits until there is a page to pay on.
func (p *payer) topUp(name, amount string) *billing.TopUp {
	p.t.Helper()

	p.create(&billing.TopUp{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: billing.TopUpSpec{Amount: billing.WholeAmount(amount)}})

	return p.topUpIs(soon, name, billing.TopUpAwaitingPayment)
}

// topUpIs waits until the payment is in a phase.
func (p *payer) topUpIs(within time.Duration, name string, want billing.TopUpPhase) *billing.TopUp {
	p.t.Helper()

	var got billing.TopUp
	await(p.t, within, fmt.Sprintf("top-up %q is %s", name, want), func() error {
		ctx, cancel := contextFor(instant)
		defer cancel()
		if err := p.api.Get(ctx, client.ObjectKey{Namespace: p.name, Name: name}, &got); err != nil {
			return err
		}
		if got.Status.Phase != want {
			return fmt.Errorf("it is %+v", got.Status)
		}

		return nil
	})

	return &got
}

// pays tops up, pays at once, and waits until the money is there.
func (p *payer) pays(name, amount string) *billing.TopUp {
	p.t.Helper()

	order := p.topUp(name, amount).Status.OrderID
	if _, err := p.bank.Pay(order, "gopay"); err != nil {
		p.t.Fatal(err)
	}

	return p.topUpIs(soon, name, billing.TopUpCredited)
}

// owner is the Tenant.
func (p *payer) owner() *v1alpha1.Tenant {
	p.t.Helper()

	var owner v1alpha1.Tenant
	if err := p.api.Get(p.t.Context(), client.ObjectKey{Name: p.name}, &owner); err != nil {
		p.t.Fatal(err)
	}

	return &owner
}

// rightMoment waits until so much is left of the minute that what starts now costs something in it.
func rightMoment() {
	if second := time.Now().Second(); second > 50 {
		time.Sleep(time.Duration(61-second) * time.Second)
	}
}
