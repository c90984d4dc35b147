package coupon

import (
	"context"
	"fmt"
	"slices"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "coupon"

// lookAround is how often the ledger is asked how often a coupon was redeemed.
const lookAround = time.Minute

// Ledger is what is needed of the ledger.
type Ledger interface {
	// Redeemed is how often a coupon was, by all tenants together.
	Redeemed(ctx context.Context, coupon string) (int64, error)
}

// Controller says how Coupons stand. It keeps nothing in memory and changes nothing.
type Controller struct {
	cached client.Reader
	ledger Ledger
	now    func() time.Time
}

// New returns the controller. cached may be behind. Now is the clock; time.Now when nil.
func New(cached client.Reader, ledger Ledger, now func() time.Time) *Controller {
	if now == nil {
		now = time.Now
	}

	return &Controller{cached, ledger, now}
}

// Reconcile looks at one Coupon. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, o *billingv1.Coupon) (outcome.Result, error) {
	redeemed, err := c.ledger.Redeemed(ctx, o.Name)
	if err != nil {
		return outcome.Result{}, err
	}

	o.Status.Redeemed = redeemed

	s, now := &o.Spec, c.now()

	first, err := c.first(ctx, o, now)
	if err != nil {
		return outcome.Result{}, err
	}

	switch {
	case first != o.Name:
		// The time of the other one may be over before this one changes.
		return outcome.Result{RequeueAfter: lookAround}, stall(billingv1.ReasonDuplicateCode, fmt.Sprintf("Coupon %q has the same code and comes first; make another one with another code", first))
	case redeemed >= s.MaxRedemptions:
		return outcome.Result{}, stall(billingv1.ReasonUsedUp, "It was redeemed as often as it can be")
	case s.ValidUntil != nil && !now.Before(s.ValidUntil.Time):
		return outcome.Result{}, stall(billingv1.ReasonCouponExpired, "It was valid until spec.validUntil")
	case s.ValidFrom != nil && now.Before(s.ValidFrom.Time):
		return outcome.Result{}, &outcome.Wait{
			Reason: billingv1.ReasonScheduled, Message: "It can be redeemed from spec.validFrom on", After: s.ValidFrom.Sub(now) + time.Second,
		}
	}

	conditions.MarkReady(o, billingv1.ReasonRedeemable, "It can be redeemed")

	after := lookAround
	if s.ValidUntil != nil {
		after = min(after, s.ValidUntil.Sub(now)+time.Second)
	}

	return outcome.Result{RequeueAfter: after}, nil
}

// first is the name of the coupon that counts in the place of this one; its own when none does.
func (c *Controller) first(ctx context.Context, o *billingv1.Coupon, now time.Time) (string, error) {
	var list billingv1.CouponList
	if err := c.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return "", fmt.Errorf("list coupons: %w", err)
	}

	first := o.Name

	for i := range list.Items {
		if other := &list.Items[i]; other.Name < first && replaces(other, o, now) {
			first = other.Name
		}
	}

	return first, nil
}

// replaces is true for a coupon with the code of another that can be redeemed now by whoever may redeem that one. Which of
// them counts then is decided by billing.Redemption, by name; how often they were redeemed does not count.
func replaces(other, o *billingv1.Coupon, now time.Time) bool {
	a, b := &other.Spec, &o.Spec

	switch {
	case a.CodeSHA256 != b.CodeSHA256, !other.DeletionTimestamp.IsZero():
		return false
	case a.ValidFrom != nil && now.Before(a.ValidFrom.Time), a.ValidUntil != nil && !now.Before(a.ValidUntil.Time):
		return false
	case a.Amount == "" && b.Amount != "":
		return false // A share of a payment is nothing without one.
	case len(a.PlanNames) == 0:
		return true
	default:
		missing := func(plan dogkerv1.DNSLabel) bool { return !slices.Contains(a.PlanNames, plan) }

		return len(b.PlanNames) > 0 && !slices.ContainsFunc(b.PlanNames, missing)
	}
}

func stall(reason, message string) error { return &outcome.Stall{Reason: reason, Message: message} }

// Setup registers the reconciler with a manager. It is woken by its own kind, and by others with the same code that come or go.
func Setup(mgr ctrl.Manager, loop engine.Loop) error {
	cached := mgr.GetClient()

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&billingv1.Coupon{}, builder.WithPredicates(loop.IgnoreOwnWrites())).
		Watches(&billingv1.Coupon{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return sameCode(ctx, cached, o)
		}), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Complete(loop)
}

// sameCode asks for all other coupons that have the code of one.
func sameCode(ctx context.Context, r client.Reader, o client.Object) []reconcile.Request {
	changed, ok := o.(*billingv1.Coupon)
	if !ok {
		return nil
	}

	var list billingv1.CouponList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil
	}

	var out []reconcile.Request

	for i := range list.Items {
		if other := &list.Items[i]; other.Spec.CodeSHA256 == changed.Spec.CodeSHA256 && other.Name != changed.Name {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(other)})
		}
	}

	return out
}
