//go:build e2e

package e2e

import (
	"errors"
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
	if warning := strings.Join(answered.header.Values("Warning"), "\n"); !strings.Contains(warning, "Rp 1200000 an hour") {
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
	p.refuses(scaled(3), "5000")
	p.refuses(p.declaring("other", 2), "5000")
	if err := scaled(2)(); err != nil {
		t.Errorf("scale to what the balance carries: %v", err)
	}
	if _, err := p.tryKubectl("scale", "tc/web", "--replicas=4"); err == nil || !strings.Contains(err.Error(), "(InsufficientBalance)") {
		t.Errorf("kubectl scale: %v", err)
	}
	if err := scaled(0)(); err != nil {
		t.Errorf("scale down: %v", err)
	}
	p.remove(app("web", "v1"))
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
	case !apierrors.IsForbidden(err) || apierrors.ReasonForError(err) != billing.ReasonInsufficientBalance:
		p.t.Errorf("the refusal is %v, want 403 and %s", err, billing.ReasonInsufficientBalance)
	case !strings.Contains(err.Error(), "Rp "+missing+" are missing"):
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
	guess := func(a *billing.BillingAccount) { a.Spec.CouponCodes = []billing.CouponCode{"guess-1234"} }
	redeem := func(a *billing.BillingAccount) { a.Spec.CouponCodes = []billing.CouponCode{"Gift-2026"} }

	wrong := p.mayNot(guess)
	p.wants(redeem)
	p.redeemed("Gift-2026", "Redeemed")
	await(t, 2*minute, "the coupon counts", func() error {
		if err := p.api.Get(t.Context(), client.ObjectKeyFromObject(gift), gift); err != nil {
			return err
		}

		return wantf(gift.Status.Redeemed, 1, "redemptions")
	})
	// A code that is used up gets the answer of one that never was.
	if used := other.mayNot(redeem); strings.ReplaceAll(used, "Gift-2026", "guess-1234") != wrong {
		t.Errorf("a code that is used up: %s\na wrong one: %s", used, wrong)
	}

	// One that is taken out stays redeemed.
	p.wants(func(a *billing.BillingAccount) { a.Spec.CouponCodes = nil })
	if a := p.phase(soon, "Active"); a.Status.Promotional != "5000" {
		t.Errorf("promotional money: got %s, want 5000", a.Status.Promotional)
	}
}

// mayNot wants a change of the account to be refused, and returns in which words.
func (p *payer) mayNot(change func(*billing.BillingAccount)) string {
	p.t.Helper()

	var err error
	await(p.t, soon, "a change is refused", func() error {
		before, failed := p.account()
		if failed != nil {
			return failed
		}
		after := before.DeepCopy()
		change(after)
		if err = p.api.Patch(p.t.Context(), after, client.MergeFrom(before)); !apierrors.IsInvalid(err) {
			return fmt.Errorf("the answer is %v, want Invalid", err)
		}

		return nil
	})

	return err.Error()
}

// redeemed waits until the account says what became of a code.
func (p *payer) redeemed(code billing.CouponCode, reason string) {
	p.t.Helper()

	await(p.t, soon, "the code is looked at", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}
		for _, c := range a.Status.Coupons {
			if c.Code == code {
				return wantf(c.Reason, reason, "what became of %q", code)
			}
		}

		return fmt.Errorf("there are %+v", a.Status.Coupons)
	})
}

// TestBooksAreClosedBeforeATenantGoes: a tenant that is deleted stops, and stays until its money is settled or given up by
// the platform.
func TestBooksAreClosedBeforeATenantGoes(t *testing.T) {
	t.Parallel()
	p := sharedBillingCell(t).payer(t, "leaving", rash())
	p.pays("money", "50000")
	p.run(app("web", "v1"))

	if err := p.api.Delete(t.Context(), p.owner()); err != nil {
		t.Fatal(err)
	}
	p.phase(soon, "Closed")
	await(t, goneBy, "nothing runs", func() error {
		left, err := p.containers(t.Context(), false)
		if err == nil && len(left) > 0 {
			err = errors.New(strings.Join(left, ", "))
		}

		return err
	})
	await(t, 6*minute, "it says what is left", func() error {
		a, err := p.account()
		if err != nil {
			return err
		}
		ready := conditions.Get(a, conditions.Ready)
		if ready == nil || ready.Reason != billing.ReasonBalanceNotSettled {
			return fmt.Errorf("Ready is %+v", ready)
		}

		return nil
	})
	p.wants(func(a *billing.BillingAccount) {
		metav1.SetMetaDataAnnotation(&a.ObjectMeta, billing.AnnotationWriteOff, "the test is over")
	})
	await(t, 2*minute, "the account is gone", func() error {
		a, err := p.account()
		if err == nil {
			return fmt.Errorf("it is %+v", a.Status)
		}

		return client.IgnoreNotFound(err)
	})
}
