package admission

import (
	"context"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
)

var (
	priceListResource = billingv1.GroupVersion.WithResource("pricelists")
	priceListKind     = billingv1.GroupVersion.WithKind("PriceList").GroupKind()
)

// lateness is how long a request may take in which prices come into effect.
const lateness = time.Minute

// judgePriceList refuses prices for use that has been charged, and a second successor of the same prices.
func (p *Billing) judgePriceList(ctx context.Context, now *unstructured.Unstructured) error {
	l, err := read[billingv1.PriceList](now)
	if err != nil {
		return err
	}

	var errs field.ErrorList
	if from := l.Spec.EffectiveFrom; from != nil && from.Time.Before(p.now().Add(-lateness)) {
		next := p.now().UTC().Truncate(time.Hour).Add(time.Hour)
		errs = append(errs, field.Invalid(field.NewPath("spec", "effectiveFrom"), from.UTC().Format(time.RFC3339),
			fmt.Sprintf("must not be in the past: use is charged by then; the next hour is %s, and without a time it is in effect at once", next.Format(time.RFC3339))))
	}
	if l.Spec.Replaces != "" {
		refused, err := p.judgeReplaces(ctx, l)
		if err != nil {
			return err
		}
		errs = append(errs, refused...)
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(priceListKind, l.Name, errs)
	}

	return nil
}

// judgeReplaces asks the store: a PriceList that was made a moment ago may be missing in memory.
func (p *Billing) judgeReplaces(ctx context.Context, l *billingv1.PriceList) (field.ErrorList, error) {
	path, replaced := field.NewPath("spec", "replaces"), string(l.Spec.Replaces)
	if replaced == l.Name {
		return field.ErrorList{field.Invalid(path, replaced, "must be another PriceList")}, nil
	}
	list, err := p.client.Resource(priceListResource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("list PriceLists: %w", err))
	}
	if !slices.ContainsFunc(list.Items, func(u unstructured.Unstructured) bool { return u.GetName() == replaced }) {
		return field.ErrorList{field.Invalid(path, replaced, "must be a PriceList that there is")}, nil
	}
	for i := range list.Items {
		other := &list.Items[i]
		if name, _, _ := unstructured.NestedString(other.Object, "spec", "replaces"); name == replaced && other.GetName() != l.Name {
			return field.ErrorList{field.Invalid(path, replaced,
				fmt.Sprintf("must not be replaced already: PriceList %q does, so replace that one", other.GetName()))}, nil
		}
	}

	return nil, nil
}
