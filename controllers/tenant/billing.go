package tenant

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// closeAccount has the BillingAccount closed before the namespace goes that it is in: what pays a debt or gives money back
// must still be possible there. It returns a Wait until the account is gone; what it waits for is the account's to say.
func (c *Controller) closeAccount(ctx context.Context, namespace string) error {
	a, err := c.accountOf(ctx, namespace)
	if err != nil || a == nil {
		return err
	}

	if a.DeletionTimestamp.IsZero() {
		slogctx.From(ctx).InfoContext(ctx, "Closing BillingAccount of deleted Tenant", logkey.Tenant, namespace)

		if err := client.IgnoreNotFound(c.cached.Delete(ctx, a, client.Preconditions{UID: &a.UID})); err != nil {
			return fmt.Errorf("close billing account of %q: %w", namespace, err)
		}

		return deleting("The account is being closed", nil)
	}

	if ready := conditions.Get(a, conditions.Ready); ready != nil && ready.Reason == billingv1.ReasonBalanceNotSettled {
		return &outcome.Wait{Reason: billingv1.ReasonBalanceNotSettled, Message: ready.Message, After: lookLater}
	}

	return deleting("The account is being closed", nil)
}

// accountOf asks the API server for the account in a namespace; nil when there is none.
func (c *Controller) accountOf(ctx context.Context, namespace string) (*billingv1.BillingAccount, error) {
	var a billingv1.BillingAccount

	err := c.live.Get(ctx, client.ObjectKey{Namespace: namespace, Name: billingv1.AccountName}, &a)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read billing account of %q: %w", namespace, err)
	}

	return &a, nil
}

// IgnoreBalance lets no change of status.billing start a pass. The loop of accounts writes it every few minutes while
// something is used, and nothing here depends on it.
func IgnoreBalance() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(*v1alpha1.Tenant)
		if !ok {
			return true
		}
		is, ok := e.ObjectNew.(*v1alpha1.Tenant)
		if !ok || equality.Semantic.DeepEqual(was.Status.Billing, is.Status.Billing) {
			return true
		}

		was, is = was.DeepCopy(), is.DeepCopy()
		for _, t := range []*v1alpha1.Tenant{was, is} {
			t.Status.Billing, t.ResourceVersion, t.ManagedFields = nil, "", nil
		}

		return !equality.Semantic.DeepEqual(was, is)
	}}
}
