package admission

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/payment"
)

var (
	topUpResource = billingv1.GroupVersion.WithResource("topups")
	topUpKind     = billingv1.GroupVersion.WithKind("TopUp").GroupKind()
)

// defaultMaxPending is how many payments may wait where a plan says nothing.
const defaultMaxPending = 10

// judgeTopUp holds a new payment against the plan.
func (p *Billing) judgeTopUp(ctx context.Context, a admission.Attributes, now *unstructured.Unstructured) error {
	t, err := read[billingv1.TopUp](now)
	if err != nil {
		return err
	}
	forbid := func(err error) error {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), err)
	}
	tenant, err := p.directory.Tenant(ctx, a.GetNamespace())
	switch {
	case err != nil:
		return apierrors.NewInternalError(err)
	case tenant == "":
		return forbid(noTenant(a.GetNamespace()))
	}
	terms, err := p.desk.Terms(ctx, tenant)
	switch {
	case errors.Is(err, billing.ErrNotBilled):
		return forbid(fmt.Errorf("plan %q of tenant %q has no prices: there is nothing to pay for", terms.Plan.Name, tenant))
	case err != nil && !errors.Is(err, billing.ErrNotInEffect):
		return apierrors.NewInternalError(err)
	}

	errs := amountWithin(paymentOf(t), t.Spec.Amount, topUpRules(terms.Plan))
	if code := t.Spec.CouponCode; code != "" {
		refused, err := p.tryCodes(ctx, tenant, []try{{
			path: field.NewPath("spec", "couponCode"), redemption: billing.Redemption{Code: code, Payment: paymentOf(t)},
		}})
		if err != nil {
			return err
		}
		errs = append(errs, refused...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(topUpKind, a.GetName(), errs)
	}

	return p.roomForTopUp(ctx, a, tenant, topUpRules(terms.Plan))
}

func noTenant(namespace string) error {
	return fmt.Errorf("namespace %q belongs to no tenant: there is no account to pay into", namespace)
}

// keepUnowned refuses owners. What has one is deleted with it, by Kubernetes itself and not by whoever deletes the owner, so
// that nobody would be asked whether it was paid. old is nil on create.
func keepUnowned(a admission.Attributes, now, old *unstructured.Unstructured) error {
	if len(now.GetOwnerReferences()) == 0 || old != nil && equality.Semantic.DeepEqual(now.GetOwnerReferences(), old.GetOwnerReferences()) {
		return nil
	}
	refusal := field.Forbidden(field.NewPath("metadata", "ownerReferences"), "must be empty: a TopUp would go with its owner, and what was paid is kept")

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), refusal)
}

// topUpRules are those of a plan, completed.
func topUpRules(plan *v1alpha1.Plan) v1alpha1.TopUpRules {
	var rules v1alpha1.TopUpRules
	if plan != nil && plan.Spec.Billing != nil && plan.Spec.Billing.TopUps != nil {
		rules = *plan.Spec.Billing.TopUps
	}
	if rules.MaxPending == 0 {
		rules.MaxPending = defaultMaxPending
	}

	return rules
}

// amountWithin holds an amount against the bounds of a plan.
func amountWithin(amount money.Micro, text billingv1.WholeAmount, rules v1alpha1.TopUpRules) field.ErrorList {
	path := field.NewPath("spec", "amount")
	bound := func(text v1alpha1.Rupiah) money.Micro {
		m, err := money.Parse(string(text))
		if err != nil {
			return 0
		}
		return m
	}
	least, most := bound(rules.MinAmount), bound(rules.MaxAmount)
	switch {
	case amount == 0:
		return nil // The schema has said what an amount is.
	case amount < least:
		return field.ErrorList{field.Invalid(path, string(text), fmt.Sprintf("must be at least %s: the plan of the tenant takes no smaller payments", rules.MinAmount))}
	case most > 0 && amount > most:
		return field.ErrorList{field.Invalid(path, string(text), fmt.Sprintf("must be at most %s: the plan of the tenant takes no larger payments", rules.MaxAmount))}
	default:
		return nil
	}
}

// roomForTopUp bounds how many payments wait, and how fast they are asked for.
func (p *Billing) roomForTopUp(ctx context.Context, a admission.Attributes, tenant string, rules v1alpha1.TopUpRules) error {
	list, err := p.client.Resource(topUpResource).Namespace(a.GetNamespace()).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return apierrors.NewInternalError(fmt.Errorf("list TopUps: %w", err))
	}
	var waiting int32
	for i := range list.Items {
		phase, _, _ := unstructured.NestedString(list.Items[i].Object, "status", "phase")
		switch billingv1.TopUpPhase(phase) {
		case "", billingv1.TopUpPending, billingv1.TopUpAwaitingPayment, billingv1.TopUpChallenged:
			waiting++
		}
	}
	if waiting >= rules.MaxPending {
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), fmt.Errorf(
			"%d TopUps of tenant %q wait for their payment, and its plan allows %d: pay one, delete one, or wait until one expires", waiting, tenant, rules.MaxPending))
	}
	if a.IsDryRun() {
		return nil
	}
	if wait := p.topUps.Take(tenant, p.now()); wait > 0 {
		return tooMany(wait, "too many TopUps were made")
	}

	return nil
}

// judgeTopUpDeletion keeps what somebody has paid for: it is where a refund, and a dispute, begin. It goes with its tenant.
func (p *Billing) judgeTopUpDeletion(ctx context.Context, a admission.Attributes) error {
	old, ok := a.GetOldObject().(*unstructured.Unstructured)
	if !ok || a.GetSubresource() != "" {
		return nil // A deletion of many is asked about once more for each of them.
	}
	order, err := payment.OrderIDOf(p.cluster, string(old.GetUID()), old.GetCreationTimestamp().Time)
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	tenant, err := p.directory.Tenant(ctx, a.GetNamespace())
	if err != nil {
		return apierrors.NewInternalError(err)
	}
	if tenant == "" {
		return nil
	}
	_, err = p.ledger.Order(ctx, tenant, order)
	switch {
	case errors.Is(err, book.ErrNotFound):
		return nil
	case err != nil:
		return ledgerUnavailable(tenant, err)
	}

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(),
		errors.New("it was paid: it is kept as long as its tenant, because refunds refer to it"))
}
