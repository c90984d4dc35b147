package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/policy"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// permitRetry is when a template that the policy of its tenant does not permit is held against it again: the policy may
// be another by then.
const permitRetry = 30 * time.Second

// permit holds what is about to run for the first time, or again, against the policy of the tenant. Admission has done so
// when it was applied; this is for what was stored before the policy was what it is, and for what came into the store
// another way. What runs is left alone: a plan that is made stricter takes nothing down.
func (c *Controller) permit(ctx context.Context, s *situation) error {
	if s.tenant == nil || s.template == nil {
		return nil
	}
	if running := liveRevision(s.world.Service); running != 0 && running == s.target.number && !s.target.fresh {
		return nil
	}

	rules, err := c.policyOf(ctx, s.tenant)
	if err != nil {
		return err
	}
	if errs := rules.Check(s.template); len(errs) > 0 {
		return refusedByPolicy(errs.ToAggregate().Error(), nil)
	}

	if rule := rules.Signature(s.template.Image); rule != nil && s.target.fresh {
		return c.trust(ctx, s, rule)
	}

	return nil
}

func (c *Controller) policyOf(ctx context.Context, t *v1alpha1.Tenant) (policy.Policy, error) {
	plan, err := c.planOf(ctx, t)
	if err != nil {
		return policy.Policy{}, err
	}
	if plan == nil {
		return policy.Policy{}, refusedByPolicy(fmt.Sprintf("tenant %q has spec.planName %q, and there is no such Plan", t.Name, t.Spec.PlanName), nil)
	}

	return policy.Of(t, plan), nil
}

// profileOf is the security profile of a tenant: the strictest for one without a plan. A namespace without tenant is
// bound by none.
func (c *Controller) profileOf(ctx context.Context, t *v1alpha1.Tenant) (v1alpha1.SecurityProfile, error) {
	if t == nil {
		return v1alpha1.ProfilePrivileged, nil
	}

	plan, err := c.planOf(ctx, t)
	if err != nil || plan == nil {
		return v1alpha1.ProfileRestricted, err
	}

	return policy.Of(t, plan).Profile(), nil
}

// planOf is the plan of a tenant, nil when there is none. Nobody changes what it points to.
func (c *Controller) planOf(ctx context.Context, t *v1alpha1.Tenant) (*v1alpha1.Plan, error) {
	var plan v1alpha1.Plan

	err := c.client.Get(ctx, client.ObjectKey{Name: string(t.Spec.PlanName)}, &plan, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read plan %q: %w", t.Spec.PlanName, err)
	}

	return &plan, nil
}

// trust lets the image run only when one of the keys of the rule has signed exactly what is to run. The image of an older
// revision was held against the rules of its time.
func (c *Controller) trust(ctx context.Context, s *situation, rule *v1alpha1.SignatureRule) error {
	untrusted := func(why string, err error) error {
		return &outcome.Wait{
			Reason: v1alpha1.ReasonImageNotTrusted, After: permitRetry, Err: err,
			Message: fmt.Sprintf("Image %q %s; images.signatures %q of the tenant's plan asks for a signature", s.template.Image, why, rule.Name),
		}
	}
	if !pinned(s.image) {
		return untrusted("is not pinned to a digest of its registry, and only that can be signed", nil)
	}

	keys := make([]string, len(rule.PublicKeys))
	for i, k := range rule.PublicKeys {
		keys[i] = string(k)
	}

	switch key, err := c.registry.Verify(ctx, s.image, s.supply.pullSecrets, keys); {
	case err == nil:
		s.sign(&v1alpha1.ImageSignature{Rule: rule.Name, Key: key, Digest: digestOf(s.image), VerifiedTime: *stamp(s.now)})

		return nil
	case errors.Is(err, swarmobj.ErrNotFound):
		return untrusted("has no signature in its registry", err)
	case errors.Is(err, swarmobj.ErrUnavailable):
		return untrusted("cannot be verified: its registry does not answer", err)
	case errors.Is(err, swarmobj.ErrRefused):
		return untrusted("carries no signature by one of the keys", err)
	default:
		return fmt.Errorf("verify image %q: %w", s.image, err)
	}
}

// sign notes a signature that was accepted.
func (s *situation) sign(signature *v1alpha1.ImageSignature) {
	proof := v1alpha1.ImageProof{}
	if s.proof != nil {
		proof = *s.proof
	}

	proof.Signature = signature
	s.proof = &proof
}

func refusedByPolicy(message string, err error) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonRefusedByPolicy, Message: message, Err: err, After: permitRetry}
}
