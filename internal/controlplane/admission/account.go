package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/money"
)

// Verbs on billingaccounts, beside Kubernetes' own, that the platform has and no tenant.
const (
	verbHold     = "hold"
	verbWriteOff = "write-off"
)

var accountKind = billingv1.GroupVersion.WithKind("BillingAccount").GroupKind()

// judgeAccount keeps to the platform what is the platform's, and holds new codes against the coupons there are. old is nil
// on create.
func (p *Billing) judgeAccount(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) error {
	if held(now) != nil || held(old) != nil {
		if !equality.Semantic.DeepEqual(held(now), held(old)) {
			if err := p.demand(ctx, a, verbHold, field.NewPath("spec", "hold"), "stops and lets go everything of a tenant, which is the platform's to decide"); err != nil {
				return err
			}
		}
	}
	if note := annotationOf(now, billingv1.AnnotationWriteOff); note != annotationOf(old, billingv1.AnnotationWriteOff) {
		path := field.NewPath("metadata", "annotations").Key(billingv1.AnnotationWriteOff)
		if err := p.demand(ctx, a, verbWriteOff, path, "gives money up, which is the platform's to decide"); err != nil {
			return err
		}
	}

	return p.judgeCodes(ctx, a, now, old)
}

// signWriteOff writes down who gave up what is left of an account, and takes it away with the word itself. old is nil on
// create.
func signWriteOff(now, old *unstructured.Unstructured, who string) {
	note := annotationOf(now, billingv1.AnnotationWriteOff)
	if note == annotationOf(old, billingv1.AnnotationWriteOff) {
		return
	}
	annotations := now.GetAnnotations()
	if note == "" {
		delete(annotations, billingv1.AnnotationWrittenOffBy)
	} else {
		annotations[billingv1.AnnotationWrittenOffBy] = who
	}
	now.SetAnnotations(annotations)
}

// signed is true for a write-off that is signed by whoever makes it, or that is taken back with its signature.
func signed(before, after map[string]string, who string) bool {
	note := after[billingv1.AnnotationWriteOff]
	if note == before[billingv1.AnnotationWriteOff] {
		return false
	}
	by, there := after[billingv1.AnnotationWrittenOffBy]

	return note == "" && !there || note != "" && by == who
}

// held is what stands in spec.hold, nil for nothing.
func held(u *unstructured.Unstructured) any {
	if u == nil {
		return nil
	}
	hold, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "hold")

	return hold
}

func annotationOf(u *unstructured.Unstructured, key string) string {
	if u == nil {
		return ""
	}

	return u.GetAnnotations()[key]
}

// demand refuses who may not do something to billing accounts everywhere. A right in one namespace does not do: members of
// tenants have such rights.
func (p *Billing) demand(ctx context.Context, a admission.Attributes, verb string, path *field.Path, what string) error {
	decision, _, err := p.authorizer.Authorize(ctx, authorizer.AttributesRecord{
		User: a.GetUserInfo(), Verb: verb, APIGroup: billingv1.GroupVersion.Group, APIVersion: billingv1.GroupVersion.Version,
		Resource: "billingaccounts", Name: a.GetName(), ResourceRequest: true,
	})
	if decision == authorizer.DecisionAllow {
		return nil
	}
	refusal := field.Forbidden(path, fmt.Sprintf("%s: it takes the right to %s billingaccounts in all namespaces", what, verb))

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}

// judgeCodes refuses codes that were not there before and cannot be redeemed.
func (p *Billing) judgeCodes(ctx context.Context, a admission.Attributes, now, old *unstructured.Unstructured) error {
	codes, _, _ := unstructured.NestedStringSlice(now.Object, "spec", "couponCodes")
	var before []string
	if old != nil {
		before, _, _ = unstructured.NestedStringSlice(old.Object, "spec", "couponCodes")
	}
	var tries []try
	for i, code := range codes {
		if !slices.Contains(before, code) {
			tries = append(tries, try{field.NewPath("spec", "couponCodes").Index(i), billing.Redemption{Code: billingv1.CouponCode(code)}})
		}
	}
	if len(tries) == 0 {
		return nil
	}
	tenant, err := p.directory.Tenant(ctx, a.GetNamespace())
	switch {
	case err != nil:
		return apierrors.NewInternalError(err)
	case tenant == "":
		return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), noTenant(a.GetNamespace()))
	}
	errs, err := p.tryCodes(ctx, tenant, tries)
	if err != nil {
		return err
	}
	if len(errs) > 0 {
		return apierrors.NewInvalid(accountKind, now.GetName(), errs)
	}

	return nil
}

// try is one code at its place in an object.
type try struct {
	path       *field.Path
	redemption billing.Redemption
}

// tryCodes lists the codes that cannot be redeemed, of which whoever guesses learns no more than that. Its error is the
// answer to somebody who has guessed too often. How often a coupon may be redeemed, and by whom it was, is decided when it
// is: by the ledger.
func (p *Billing) tryCodes(ctx context.Context, tenant string, tries []try) (field.ErrorList, error) {
	terms, err := p.desk.Terms(ctx, tenant)
	if terms.Plan == nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("read the plan of tenant %q: %w", tenant, err))
	}
	var coupons billingv1.CouponList
	if err := p.reader.List(ctx, &coupons); err != nil {
		return nil, apierrors.NewInternalError(fmt.Errorf("list coupons: %w", err))
	}

	var errs field.ErrorList
	for _, t := range tries {
		if wait := p.codes.Take(tenant, p.now()); wait > 0 {
			return nil, tooMany(wait, "too many coupon codes were tried")
		}
		t.redemption.Plan, t.redemption.At = terms.Tenant.Spec.PlanName, p.now()
		if coupon, err := t.redemption.Coupon(coupons.Items); err != nil || coupon.Status.Redeemed >= coupon.Spec.MaxRedemptions {
			errs = append(errs, field.Invalid(t.path, string(t.redemption.Code), "this code is not accepted"))
			continue
		}
		p.codes.GiveBack(tenant)
	}

	return errs, nil
}

// paymentOf is what a TopUp pays; 0 for what is no amount, which the schema refuses.
func paymentOf(t *billingv1.TopUp) money.Micro {
	amount, err := money.ParseWhole(string(t.Spec.Amount))
	if err != nil {
		return 0
	}

	return amount
}
