package policy

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// RuleVerdict is what one rule has to say about a spec.
type RuleVerdict struct {
	// Rule is its id.
	Rule string
	// Applies is false where the profile demands nothing of it.
	Applies bool
	// Refusals are empty where the spec is as the rule demands.
	Refusals field.ErrorList
}

// CheckByRule is Check, told apart by rule, and with the rules that refuse nothing. It is for those who tell people what
// has been looked at.
func (p Policy) CheckByRule(spec *v1alpha1.TenantContainerSpec) []RuleVerdict {
	verdicts := make([]RuleVerdict, len(rules))
	for i, r := range rules {
		verdicts[i].Rule = r.id
		if judge := p.judgeOf(r); judge != nil {
			c := &check{Policy: p, spec: spec, rule: r.id}
			judge(c)
			verdicts[i].Applies, verdicts[i].Refusals = true, c.errs
		}
	}

	return verdicts
}

// judgeOf is the judge of a rule for the profile in effect; nil when the profile demands nothing.
func (p Policy) judgeOf(r rule) judge {
	switch p.profile {
	case v1alpha1.ProfileBaseline:
		return r.baseline
	case v1alpha1.ProfilePrivileged:
		return r.privileged
	default:
		return r.restricted
	}
}

// secretive are parts of the names of variables whose values should not be readable by everybody who may see the object.
var secretive = []string{"PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL"}

// Secretive is true for the name of a variable whose value looks like a secret (rule S4).
func Secretive(name string) bool {
	upper := strings.ToUpper(name)

	return slices.ContainsFunc(secretive, func(part string) bool { return strings.Contains(upper, part) })
}
