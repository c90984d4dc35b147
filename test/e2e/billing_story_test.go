//go:build e2e

package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billing "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

// TestBillingStory is the life of a prepaid tenant: it pays, runs, is charged, warned, drained and suspended, and what it
// runs is the same after the next payment as it was before.
func TestBillingStory(t *testing.T) {
	t.Parallel()
	b := sharedBillingCell(t)
	p := b.payer(t, "story", rash())
	w := b.watch(t)
	const drain = 3 * time.Second

	paid := p.pays("first", "21000") // 63 seconds of two tasks.
	check.Status(t, paid)
	rightMoment()
	before := p.run(app("web", "v1", replicas(2), env("APP_DRAIN", drain.String()), patient))

	p.phase(charged, "Low")
	p.told("LowBalance")
	a := p.phase(charged, "Suspended")
	check.Status(t, a)
	p.told("Suspended")
	await(t, soon, "both containers were drained", func() error { return w.drained(t, p.name, "web", 2, drain) })
	p.condition(soon, "web", v1alpha1.ConditionSuspended, metav1.ConditionTrue, "")
	if got := p.owner().Annotations[v1alpha1.AnnotationBillingSuspend]; got == "" {
		t.Errorf("the tenant is not annotated: %v", p.owner().Annotations)
	}
	if a.Status.Missing == "" || strings.HasPrefix(a.Status.Missing, "-") {
		t.Errorf("a suspended account says that %q is missing", a.Status.Missing)
	}
	p.restsAt()
	p.exportsAddUp("21000")

	p.pays("second", "100000")
	p.runs(soon)
	after := p.ready("web")
	p.told("Resumed")
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" || before.Generation != after.Generation || before.UID != after.UID {
		t.Errorf("the container is not as it was before the suspension (-before +after):\n%s", diff)
	}
	if got := len(p.running("web")); got != 2 {
		t.Errorf("tasks after the payment: got %d, want 2", got)
	}
	if got, there := p.owner().Annotations[v1alpha1.AnnotationBillingSuspend]; there {
		t.Errorf("the tenant is still annotated: %q", got)
	}
}

// patient gives a container longer to stop than it needs.
func patient(tc *v1alpha1.TenantContainer) { tc.Spec.TerminationGracePeriodSeconds = new(int64(15)) }

// restsAt wants that nothing more is charged to a suspended account once the minute is closed in which it was suspended.
func (p *payer) restsAt() {
	p.t.Helper()

	time.Sleep(time.Until(time.Now().Truncate(minute).Add(minute + 35*time.Second)))
	last, err := p.account()
	if err != nil {
		p.t.Fatal(err)
	}
	stays(p.t, minute+15*time.Second, "nothing is charged", func() error {
		now, err := p.account()
		if err != nil {
			return err
		}

		return wantf(now.Status.Spent, last.Status.Spent, "spent by a suspended account")
	})
}

// told waits until the tenant was sent a notice of that kind.
func (p *payer) told(kind string) {
	p.t.Helper()

	await(p.t, soon, "a notice "+kind, func() error {
		if len(p.notices.about(`"`+p.name+`"`, `"`+kind+`"`)) == 0 {
			return errors.New("there is none")
		}

		return nil
	})
}

// TestBillingWithoutNotifications: a gateway whose notifications are lost costs minutes and no money, and a server that is
// killed between the payment and its credit costs nothing at all.
func TestBillingWithoutNotifications(t *testing.T) {
	t.Parallel()
	b := newBillingCell(t, true)
	p := b.payer(t, "silent", rash())

	order := p.topUp("first", "10500").Status.OrderID
	if _, err := b.bank.Pay(order, "bca_va"); err != nil {
		t.Fatal(err)
	}
	p.topUpIs(2*minute, "first", billing.TopUpCredited)
	rightMoment()
	before := p.run(app("web", "v1"))
	p.phase(2*charged, "Suspended")

	order = p.topUp("second", "60000").Status.OrderID
	if _, err := b.bank.Pay(order, "bca_va"); err != nil {
		t.Fatal(err)
	}
	p.restart(true)
	if got := p.phase(soon, "Suspended").Status; got.Missing == "" {
		t.Errorf("after a restart the account is %+v", got)
	}
	p.topUpIs(3*minute, "second", billing.TopUpCredited)
	p.runs(soon)
	after := p.ready("web")
	if diff := cmp.Diff(before.Spec, after.Spec); diff != "" {
		t.Errorf("the container is not as it was before the suspension (-before +after):\n%s", diff)
	}

	// The status of an account is nothing but a mirror.
	a := p.phase(soon, "Active", "Low")
	balance, hash := a.Status.Paid, a.Status.LedgerHash
	a.Status = billing.BillingAccountStatus{}
	if err := p.api.Status().Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if got := p.phase(soon, "Active", "Low").Status; got.LedgerHash != hash || got.Paid != balance {
		t.Errorf("the status came back as %+v, want %s paid and the hash %s", got, balance, hash)
	}
	if c := conditions.Get(a, conditions.Ready); c != nil {
		t.Errorf("the status was not deleted: %+v", c)
	}
}
