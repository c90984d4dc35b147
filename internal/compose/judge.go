package compose

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

// anyPlan is the name under which the rules are asked; it is cut out of what they say.
const anyPlan = "any"

// ruleOfImages says from which registries images come: a plan can name more.
const ruleOfImages = "I1"

// judge holds what came out against the rules of the profiles: what baseline refuses is reported as refused, and what only
// restricted refuses is a note, because a plan can have either.
func (c *converter) judge() {
	baseline, restricted := policyOf(v1alpha1.ProfileBaseline), policyOf(v1alpha1.ProfileRestricted)
	var strict []string
	for _, tc := range c.result.Containers {
		at := "services." + c.keyOf(tc.Name)
		refusals := check(baseline, &tc.Spec)
		for _, e := range refusals {
			if c.options.PlanAsked && ruleOf(e) == ruleOfImages {
				continue
			}
			c.refused(at, fmt.Sprint(e.BadValue), plain(e), "change it before it is applied in the namespace of a tenant")
		}
		for _, e := range check(restricted, &tc.Spec) {
			if !slices.ContainsFunc(refusals, func(r *field.Error) bool { return r.Field == e.Field }) {
				strict = append(strict, fmt.Sprintf("%s %s (%s)", tc.Name, strings.TrimPrefix(e.Field, "spec."), ruleOf(e)))
			}
		}
	}
	if len(strict) > 0 {
		slices.Sort(strict)
		c.note("services", "", "a plan with the security profile restricted refuses "+strings.Join(slices.Compact(strict), ", "),
			"one with baseline takes it; with a spec.portRange of the Tenant ports may be published")
	}
}

// policyOf a tenant without a range of ports, whose plan gives and allows plenty: only the profile counts.
func policyOf(profile v1alpha1.SecurityProfile) policy.Policy {
	plenty := func(text string) resource.Quantity { return resource.MustParse(text) }
	plan := &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: anyPlan}}
	plan.Spec.SecurityProfile = profile
	plan.Spec.ContainerDefaults.Requests.CPU, plan.Spec.ContainerDefaults.Limits.CPU = plenty("1m"), plenty("1")
	plan.Spec.ContainerDefaults.Requests.Memory, plan.Spec.ContainerDefaults.Limits.Memory = plenty("4Mi"), plenty("1Ti")
	plan.Spec.ContainerDefaults.Limits.Pids = 1024

	return policy.Of(&v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: anyPlan}}, plan)
}

// check asks what admission would: after it has filled in what the plan has.
func check(p policy.Policy, spec *v1alpha1.TenantContainerSpec) field.ErrorList {
	raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
	if err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}
	}
	p.Default(raw)
	var full v1alpha1.TenantContainerSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &full); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}
	}

	return p.Check(&full)
}

// plain is what a rule says, without the plan, of which there is none.
func plain(e *field.Error) string {
	return fmt.Sprintf("%s: %s", e.Field, strings.ReplaceAll(e.Detail, fmt.Sprintf(" of plan %q", anyPlan), ""))
}

// ruleOf a refusal.
func ruleOf(e *field.Error) string {
	_, rest, _ := strings.Cut(e.Detail, " by rule ")
	rule, _, _ := strings.Cut(rest, " ")

	return rule
}

// keyOf a container is the service that it was.
func (c *converter) keyOf(name string) string {
	for key, n := range c.names {
		if n == name {
			return key
		}
	}

	return name
}
