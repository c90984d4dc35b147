package permit

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/policy"
)

// Retry is when a template that the policy of its tenant does not permit is held against it again: the policy may be another by
// then.
const Retry = 30 * time.Second

// Tenant returns the tenant that a namespace belongs to, nil when it belongs to none. Whose it is says its label, and not its
// name: a Tenant may be refused a namespace that was there before it. Nobody changes what it points to.
func Tenant(ctx context.Context, r client.Reader, namespace string) (*v1alpha1.Tenant, error) {
	shared := &client.GetOptions{UnsafeDisableDeepCopy: new(true)}

	var ns corev1.Namespace
	if err := r.Get(ctx, client.ObjectKey{Name: namespace}, &ns, shared); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read namespace %q: %w", namespace, err)
	}

	name := ns.Labels[v1alpha1.LabelTenant]
	if name == "" {
		return nil, nil
	}

	var tenant v1alpha1.Tenant
	if err := r.Get(ctx, client.ObjectKey{Name: name}, &tenant, shared); apierrors.IsNotFound(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read tenant %q: %w", name, err)
	}

	return &tenant, nil
}

// Policy is what the plan of a tenant lets its containers be. It fails with a Wait for a tenant whose plan is not there.
func Policy(ctx context.Context, r client.Reader, t *v1alpha1.Tenant) (policy.Policy, error) {
	plan, err := planOf(ctx, r, t)
	if err != nil {
		return policy.Policy{}, err
	}
	if plan == nil {
		return policy.Policy{}, Refused(fmt.Sprintf("tenant %q has spec.planName %q, and there is no such Plan", t.Name, t.Spec.PlanName))
	}

	return policy.Of(t, plan), nil
}

// Profile is the security profile of a tenant: the strictest for one without a plan. A namespace without tenant is bound by none.
func Profile(ctx context.Context, r client.Reader, t *v1alpha1.Tenant) (v1alpha1.SecurityProfile, error) {
	if t == nil {
		return v1alpha1.ProfilePrivileged, nil
	}

	plan, err := planOf(ctx, r, t)
	if err != nil || plan == nil {
		return v1alpha1.ProfileRestricted, err
	}

	return policy.Of(t, plan).Profile(), nil
}

// planOf is the plan of a tenant, nil when there is none. Nobody changes what it points to.
func planOf(ctx context.Context, r client.Reader, t *v1alpha1.Tenant) (*v1alpha1.Plan, error) {
	var plan v1alpha1.Plan

	err := r.Get(ctx, client.ObjectKey{Name: string(t.Spec.PlanName)}, &plan, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read plan %q: %w", t.Spec.PlanName, err)
	}

	return &plan, nil
}

// Refused is a Wait for a template that the policy does not permit.
func Refused(message string) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonRefusedByPolicy, Message: message, After: Retry}
}
