//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// TestBalanceBoundsWhatIsDeclared: what the balance does not carry for the plan's runway is refused with the amount that is
// missing, whichever way it is asked for. Less is always allowed.
func TestBalanceBoundsWhatIsDeclared(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "bounds", rash())

	p.refuses(p.declaring("first", 1), "10000")
	p.create(app("idle", "v1", replicas(0)))
	p.pays("money", "25000") // For two tasks and a half.

	robot := p.caller("robot")
	answered, err := robot.must(t.Context(), http.MethodPost, containersOf(p.name)+"?dryRun=All", containerJSON("dry", 2))
	if err != nil {
		t.Fatal(err)
	}
	if warning := strings.Join(answered.header.Values("Warning"), "\n"); !strings.Contains(warning, "1200000") && !strings.Contains(warning, "1,200,000") {
		t.Errorf("the answer warns of %q, want the price of an hour", warning)
	}

	if err := p.declaring("web", 1)(); err != nil {
		t.Fatal(err)
	}
	scaled := func(count int32) func() error {
		return func() error {
			before := p.get("web")
			after := before.DeepCopy()
			after.Spec.Replicas = new(count)

			return p.api.Patch(t.Context(), after, client.MergeFrom(before))
		}
	}
	p.refuses(scaled(3), "")
	p.refuses(p.declaring("other", 2), "")
	if err := scaled(2)(); err != nil {
		t.Errorf("scale to what the balance carries: %v", err)
	}
	p.refuses(func() error {
		_, err := p.tryKubectl("scale", "tc/web", "--replicas=4")

		return asRefusal(err)
	}, "")
	if err := scaled(0)(); err != nil {
		t.Errorf("scale down: %v", err)
	}
	p.remove(app("web", "v1"))
}

// asRefusal is an error of kubectl as a client would have it, as far as it matters here.
func asRefusal(err error) error {
	if err == nil || !strings.Contains(err.Error(), "Forbidden") && !strings.Contains(err.Error(), "forbidden") {
		return err
	}

	return apierrors.NewForbidden(v1alpha1.GroupVersion.WithResource("tenantcontainers").GroupResource(), "", err)
}

// declaring creates a container of so many tasks.
func (p *payer) declaring(name string, count int32) func() error {
	return func() error {
		tc := app(name, "v1", replicas(count))
		tc.Namespace = p.name

		return p.api.Create(p.t.Context(), tc)
	}
}

// containerJSON is a container of so many tasks, as a program sends it.
func containerJSON(name string, count int) string {
	return fmt.Sprintf(`{"apiVersion":"dogker.io/v1alpha1","kind":"TenantContainer","metadata":{"name":%q},`+
		`"spec":{"image":"dogker.test/app:v1","imagePullPolicy":"Never","replicas":%d}}`, name, count)
}

// refuses wants an answer that says that the balance is insufficient, and how much is missing when that is given.
func (p *payer) refuses(ask func() error, missing string) {
	p.t.Helper()

	switch err := ask(); {
	case err == nil:
		p.t.Error("what the balance cannot carry was accepted")
	case !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), billing.ReasonInsufficientBalance):
		p.t.Errorf("the refusal is %v, want Forbidden and %s", err, billing.ReasonInsufficientBalance)
	case !strings.Contains(strings.ReplaceAll(err.Error(), ",", ""), missing):
		p.t.Errorf("the refusal does not say that %s is missing: %v", missing, err)
	}
}

// TestBudgetCap stops a tenant at what it wanted to spend, and lets it go on when it wants to spend more.
func TestBudgetCap(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "capped", rash())
	p.wants(func(a *billing.BillingAccount) {
		a.Spec.Budget = &billing.Budget{MonthlyCap: "100", Action: billing.BudgetSuspend}
	})
	p.pays("money", "1000000")
	rightMoment()
	before := p.run(app("web", "v1"))

	p.phase(charged, "BudgetCapped")
	p.told("BudgetReached")
	p.unready(soon, "web", v1alpha1.ReasonSuspended)
	p.pays("more", "1000000") // That is not what is missing.
	p.phase(soon, "BudgetCapped")

	p.wants(func(a *billing.BillingAccount) { a.Spec.Budget.MonthlyCap = "900000" })
	p.runs(soon)
	if after := p.ready("web"); after.Generation != before.Generation {
		t.Errorf("generation of the container: got %d, want %d", after.Generation, before.Generation)
	}
}

// TestChargebackHolds stops a tenant whose payer's bank takes the money back, whatever else it has; no payment lifts that,
// and the platform does.
func TestChargebackHolds(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "chargeback", rash())
	p.pays("own", "500000")
	stolen := p.pays("stolen", "400000")
	p.run(app("web", "v1"))

	if err := p.bank.Chargeback(stolen.Status.OrderID, 400000); err != nil {
		t.Fatal(err)
	}
	p.topUpIs(soon, "stolen", billing.TopUpChargedBack)
	held := p.phase(soon, "Hold")
	p.unready(soon, "web", v1alpha1.ReasonSuspended)
	if held.Spec.Hold == nil {
		t.Error("the account does not say why it is held")
	}
	p.pays("more", "500000")
	p.phase(soon, "Hold")

	p.wants(func(a *billing.BillingAccount) { a.Spec.Hold = nil })
	p.runs(soon)
	p.ready("web")
}

// TestCouponIsRedeemedOnce gives each tenant what a code is worth, once, and tells nothing of codes that are worth nothing.
func TestCouponIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	b := sharedBillingCell(t)
	p, other := b.payer(t, "coupons", rash()), b.payer(t, "coupons-too", rash())
	p.t.Cleanup(func() {
		ctx, cancel := contextFor(instant)
		defer cancel()
		if err := p.api.Delete(ctx, &billing.Coupon{ObjectMeta: metav1.ObjectMeta{Name: "gift"}}); err != nil {
			t.Error(err)
		}
	})
	hash, err := p.dogker("coupon", "hash", "gift-2026")
	if err != nil {
		t.Fatal(err)
	}
	gift := &billing.Coupon{ObjectMeta: metav1.ObjectMeta{Name: "gift"}, Spec: billing.CouponSpec{
		CodeSHA256: strings.TrimSpace(hash), Amount: "5000", MaxRedemptions: 1,
	}}
	if err := p.api.Create(t.Context(), gift); err != nil {
		t.Fatal(err)
	}
	redeem := func(a *billing.BillingAccount) { a.Spec.CouponCodes = []billing.CouponCode{"Gift-2026", "guess-1234"} }

	p.wants(redeem)
	p.redeemed(map[billing.CouponCode]string{"Gift-2026": "Redeemed", "guess-1234": billing.ReasonCodeNotAccepted})
	other.wants(redeem)
	other.redeemed(map[billing.CouponCode]string{"Gift-2026": billing.ReasonCodeNotAccepted, "guess-1234": billing.ReasonCodeNotAccepted})

	// A code that is taken out and put in again is the same code.
	p.wants(func(a *billing.BillingAccount) { a.Spec.CouponCodes = nil })
	p.wants(redeem)
	p.redeemed(map[billing.CouponCode]string{"Gift-2026": "Redeemed", "guess-1234": billing.ReasonCodeNotAccepted})
	if a := p.phase(soon, "Active"); a.Status.Promotional != "5000" && !strings.HasPrefix(a.Status.Promotional, "5000.") {
		t.Errorf("promotional money: got %s, want 5000", a.Status.Promotional)
	}
	check := conditions.Get(p.phase(soon, "Active"), conditions.Ready)
	if check == nil || check.Status != metav1.ConditionTrue {
		t.Errorf("an account with a code that was not accepted: got %+v, want Ready", check)
	}
}

// redeemed waits until the account says what became of its codes.
func (p *payer) redeemed(want map[billing.CouponCode]string) {
	p.t.Helper()

	await(p.t, soon, "the codes are looked at", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}
		got := map[billing.CouponCode]string{}
		for _, c := range a.Status.Coupons {
			got[c.Code] = c.Reason
		}
		for code, reason := range want {
			if got[code] != reason {
				return fmt.Errorf("%q is %q, want %q: %+v", code, got[code], reason, a.Status.Coupons)
			}
		}

		return nil
	})
}
