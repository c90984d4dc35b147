package workload

import (
	"context"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/permit"
)

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

	rules, err := permit.Policy(ctx, c.client, s.tenant)
	if err != nil {
		return err
	}
	if errs := rules.Check(s.template); len(errs) > 0 {
		return permit.Refused(errs.ToAggregate().Error())
	}

	if rule := rules.Signature(s.template.Image); rule != nil && s.target.fresh {
		return c.trust(ctx, s, rule)
	}

	return nil
}

// trust lets the image run only when one of the keys of the rule has signed exactly what is to run. The image of an older
// revision was held against the rules of its time.
func (c *Controller) trust(ctx context.Context, s *situation, rule *v1alpha1.SignatureRule) error {
	signature, err := permit.Signed(ctx, c.registry, rule, s.template.Image, s.image, s.supply.pullSecrets, s.now)
	if err == nil {
		s.sign(signature)
	}

	return err
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
