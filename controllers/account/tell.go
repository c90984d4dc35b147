package account

import (
	"context"
	"fmt"
	"strconv"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

type task = swarmobj.Task

// tellTenant writes the short of the status into that of the Tenant, if it says something else there, in a patch of that
// part alone: the rest is the tenant controller's, which leaves this part as it is.
func (c *Controller) tellTenant(ctx context.Context, s *situation) error {
	if s.tenant == nil {
		return nil
	}

	var want *v1alpha1.TenantBilling
	if s.billed() {
		want = short(&s.account.Status)
	}

	return c.writeTenant(ctx, s, want, s.inUse() || s.charging())
}

func (c *Controller) writeTenant(ctx context.Context, s *situation, want *v1alpha1.TenantBilling, inUse bool) error {
	if !tellable(s.tenant.Status.Billing, want, inUse) {
		return nil
	}

	patch := mergePatch(map[string]any{
		"metadata": map[string]any{"uid": s.tenant.UID},
		"status":   map[string]any{"billing": fields(want)},
	})
	t := &v1alpha1.Tenant{}
	t.Name = s.tenant.Name

	err := c.cached.Status().Patch(ctx, t, patch, client.FieldOwner(fieldOwner))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("patch status.billing of tenant %q: %w", s.tenant.Name, err)
	}

	s.tenant = t
	c.memory.wrote(t)

	return nil
}

// short is what the Tenant shows of a status.
func short(st *billingv1.BillingAccountStatus) *v1alpha1.TenantBilling {
	return &v1alpha1.TenantBilling{
		Phase: string(st.Phase), Balance: st.Available, RatePerHour: st.RatePerHour, Runway: st.Runway, DepletesAt: st.DepletesAt,
	}
}

// fields are all of them, so that a merge patch takes away what is empty.
func fields(b *v1alpha1.TenantBilling) any {
	if b == nil {
		return nil
	}

	text := func(s string) any {
		if s == "" {
			return nil
		}

		return s
	}

	return map[string]any{
		"phase": text(b.Phase), "balance": text(b.Balance), "ratePerHour": text(b.RatePerHour), "runway": text(b.Runway),
		"depletesAt": b.DepletesAt,
	}
}

// tellable is true when the Tenant shows something that is not so any more. While something is used the balance moves on
// every minute: what the Tenant shows of it may be one percent off, which makes it the more precise the less is left.
func tellable(have, want *v1alpha1.TenantBilling, inUse bool) bool {
	switch {
	case equality.Semantic.DeepEqual(have, want):
		return false
	case have == nil, want == nil, !inUse:
		return true
	case have.Phase != want.Phase, have.RatePerHour != want.RatePerHour, (have.DepletesAt == nil) != (want.DepletesAt == nil):
		return true
	}

	was, err := strconv.ParseInt(have.Balance, 10, 64)
	if err != nil {
		return true
	}
	is, err := strconv.ParseInt(want.Balance, 10, 64)

	return err != nil || max(is-was, was-is) > max(was, -was)/100
}
