//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
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
