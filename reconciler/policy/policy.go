package policy

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Policy is what one tenant's containers may be.
type Policy struct {
	tenant  string
	plan    string
	profile v1alpha1.SecurityProfile

	ports    *v1alpha1.PortRange
	defaults v1alpha1.ContainerDefaults
	maxima   v1alpha1.ContainerMaxima
	images   v1alpha1.ImageRules
}

// Of is the policy for the containers of a tenant with that plan. A plan that names no profile, or one that this binary
// does not know, has the strictest.
func Of(t *v1alpha1.Tenant, plan *v1alpha1.Plan) Policy {
	p := Policy{
		tenant: t.Name, plan: plan.Name, profile: v1alpha1.ProfileRestricted,
		ports: t.Spec.PortRange, defaults: plan.Spec.ContainerDefaults,
	}

	switch plan.Spec.SecurityProfile {
	case v1alpha1.ProfileBaseline, v1alpha1.ProfilePrivileged:
		p.profile = plan.Spec.SecurityProfile
	}
	if m := plan.Spec.ContainerMaxima; m != nil {
		p.maxima = *m
	}
	if i := plan.Spec.Images; i != nil {
		p.images = *i
	}

	return p
}

// Profile is the security profile in effect.
func (p Policy) Profile() v1alpha1.SecurityProfile { return p.profile }

// Check lists what the policy refuses in a spec, in the order of the table. A template of a revision is a spec, too.
func (p Policy) Check(spec *v1alpha1.TenantContainerSpec) field.ErrorList {
	c := &check{Policy: p, spec: spec}

	for _, r := range rules {
		judge := p.judgeOf(r)
		if judge == nil {
			continue
		}

		c.rule = r.id
		judge(c)
	}

	return c.errs
}

// CheckReplicas judges a number of replicas by itself, for requests that change nothing else.
func (p Policy) CheckReplicas(replicas int32) field.ErrorList {
	c := &check{Policy: p, spec: &v1alpha1.TenantContainerSpec{Replicas: &replicas}, rule: "Q1"}
	if p.profile != v1alpha1.ProfilePrivileged {
		replicasOfProfile(c)
	} else {
		replicasOfPlan(c)
	}

	return c.errs
}

// check is one judgement under way.
type check struct {
	Policy

	spec *v1alpha1.TenantContainerSpec
	rule string
	errs field.ErrorList
}

var root = field.NewPath("spec")

// refuse notes that a value breaks the rule of the profile. allowed goes on after "allowed is".
func (c *check) refuse(path *field.Path, value any, allowed string, args ...any) {
	c.errs = append(c.errs, field.Invalid(path, value, fmt.Sprintf(
		"refused by rule %s of the security profile %s of plan %q: allowed is %s", c.rule, c.profile, c.plan, fmt.Sprintf(allowed, args...))))
}

// refusePlan notes that a value breaks a rule that the plan itself sets in that field.
func (c *check) refusePlan(path *field.Path, value any, of, allowed string, args ...any) {
	c.errs = append(c.errs, field.Invalid(path, value, fmt.Sprintf(
		"refused by rule %s, %s of plan %q: allowed is %s", c.rule, of, c.plan, fmt.Sprintf(allowed, args...))))
}

// demand notes that a value is missing.
func (c *check) demand(path *field.Path, allowed string) {
	c.errs = append(c.errs, field.Required(path, fmt.Sprintf(
		"demanded by rule %s of the security profile %s of plan %q: %s", c.rule, c.profile, c.plan, allowed)))
}

// Warnings are what the policy advises against and does not refuse (rule S4).
func (p Policy) Warnings(spec *v1alpha1.TenantContainerSpec) []string {
	if p.profile == v1alpha1.ProfilePrivileged {
		return nil
	}

	var out []string
	for i, e := range spec.Env {
		if e.Value == nil || *e.Value == "" {
			continue
		}
		if Secretive(e.Name) {
			out = append(out, fmt.Sprintf("%s: %q looks like a secret, and everybody who may read the object can read it; use valueFrom.secretKeyRef, or files (rule S4)",
				root.Child("env").Index(i), e.Name))
		}
	}

	return out
}
