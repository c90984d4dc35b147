package audit

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/policy"
)

// Rules that are not rows of the policy's table.
const (
	// ruleGuard: what runs is what Dogker would send.
	ruleGuard = "G3"
	// ruleSecrets: secrets are not written into variables.
	ruleSecrets = "S4"
)

// rule is a rule of the profiles.
type rule struct {
	id, title string
	severity  Severity
}

// rules are all of them, in the order of docs/guides/security.md.
var rules = []rule{
	{"I1", "Images come from registries that the plan allows", SeverityMedium},
	{"I2", "A registry is asked before an image is used", SeverityMedium},
	{"C1", "Capabilities are those of the profile", SeverityHigh},
	{"C3", "Sysctls are those of the profile", SeverityMedium},
	{"C4", "Ulimits are those of the profile", SeverityLow},
	{"U1", "User and group are numbers, and not root's", SeverityMedium},
	{"M4", "Nothing is mounted over the system's directories", SeverityHigh},
	{"M5", "File systems in memory fit the memory limit", SeverityLow},
	{"S2", "Files do not replace those by which a system knows users and names", SeverityHigh},
	{"L1", "Logs are kept and bounded", SeverityLow},
	{"N3", "Published ports are the tenant's", SeverityMedium},
	{"N4", "No names are made up", SeverityMedium},
	{"P1", "Placement says where, and not whose", SeverityMedium},
	{"P2", "The mode is Replicated", SeverityMedium},
	{"R1", "Limits and requests are set, within the plan", SeverityMedium},
	{"R2", "Restarts take their time", SeverityLow},
	{"R3", "Health checks take their time", SeverityLow},
	{"R4", "Rollouts go in small steps", SeverityLow},
	{"R5", "A container stops soon when it is told to", SeverityLow},
	{"B1", "Labels tell nobody else what to do", SeverityMedium},
	{"Q1", "Replicas are within the plan", SeverityLow},
	{"Q2", "Variables and commands are of a sane size", SeverityLow},
	{ruleSecrets, "Secrets are not written into variables", SeverityLow},
	{ruleGuard, "What Swarm has is what Dogker would send", SeverityHigh},
}

const (
	mendDeclared = "change the TenantContainer: what runs is left alone until then, and nothing else of it gets to run"
	mendJob      = "change the TenantJob: a run that goes on is left alone, and no other begins until then"
	mendTampered = "somebody has changed the service past Dogker: see that `dogker server` runs, which puts it back (`dogker doctor`)"
	mendPlan     = "make the Plan, or name another one in spec.planName of the Tenant"
)

// ruleSection holds what is declared against the policy of its tenant, as admission does with what is applied: a plan may
// have been made stricter since. What a service still runs of an older revision is held against it, too.
func ruleSection(in Input) []Check {
	checks := make([]Check, len(rules))
	for i, r := range rules {
		checks[i] = Check{ID: r.id, Section: sectionProfiles, Title: r.title}
	}

	for i := range checks {
		c := &checks[i]
		switch {
		case c.ID == ruleGuard:
			guarded(c, in)
		case in.DeclaredUnseen != "":
			c.note(nil, unseen("%s", in.DeclaredUnseen), "", "")
		case len(in.Declared) == 0:
			c.note(nil, notApplicable("no container is declared"), "", "")
		}
	}

	if in.DeclaredUnseen == "" {
		for _, d := range in.Declared {
			d.judge(checks)
		}
	}

	return checks
}

// guarded holds services of ours against what Dogker would send: what somebody has changed in Swarm by hand.
func guarded(c *Check, in Input) {
	const right = "nothing but what Dogker's allow list has"

	for _, w := range in.Workloads {
		if w.Guarded {
			c.note(&w.Object, faultIf(len(w.Violations) > 0, SeverityHigh, "%s", strings.Join(w.Violations, "; ")), right, mendTampered)
		}
	}

	switch {
	case c.Passed > 0 || len(c.Findings) > 0:
	case in.Swarm == nil:
		c.note(nil, unseen("%s", in.SwarmUnseen), "", "")
	default:
		c.note(nil, notApplicable("no service is Dogker's"), "", "")
	}
}

// judge notes, for each rule, what it says of a declared container.
func (d Declared) judge(checks []Check) {
	o := Object{Kind: KindTenantContainer, Namespace: d.Container.Namespace, Name: d.Container.Name, Owner: OwnerDogker}
	mend := mendDeclared
	if d.Job {
		o.Kind, mend = KindTenantJob, mendJob
	}

	for i := range checks {
		c := &checks[i]
		switch {
		case c.ID == ruleGuard:
		case d.Tenant == nil:
			c.note(&o, notApplicable("its namespace belongs to no Tenant, so it has no profile: the schema alone holds"), "", "")
		case d.Plan == nil:
			c.note(&o, unseen("its tenant names the plan %q, which does not exist: nothing new of it runs (%s)", d.Tenant.Spec.PlanName, mendPlan), "", "")
		}
	}
	if d.Tenant == nil || d.Plan == nil {
		return
	}

	p := policy.Of(d.Tenant, d.Plan)
	d.secrets(find(checks, ruleSecrets), o, p)

	now := p.CheckByRule(&d.Container.Spec)
	var running []policy.RuleVerdict
	if d.Running != nil {
		running = p.CheckByRule(&d.Running.Spec.Template)
	}
	for i, v := range now {
		r := rules[slices.IndexFunc(rules, func(r rule) bool { return r.id == v.Rule })]
		c := find(checks, v.Rule)
		if !v.Applies {
			c.note(&o, notApplicable("the profile %s demands nothing of it", p.Profile()), "", "")

			continue
		}

		faults := refusals(r, d.placed(v.Refusals), "")
		if running != nil {
			prefix := fmt.Sprintf("revision %d, which runs: ", d.Running.Spec.Revision)
			faults = append(faults, refusals(r, without(running[i].Refusals, v.Refusals), prefix)...)
		}
		if len(faults) == 0 {
			faults = []verdict{passes()}
		}
		for _, f := range faults {
			c.note(&o, f, "", mend)
		}
	}
}

// placed are refusals with their fields where they are declared: a job has in its template what a container has in its spec.
func (d Declared) placed(errs field.ErrorList) field.ErrorList {
	if !d.Job {
		return errs
	}

	out := make(field.ErrorList, len(errs))
	for i, err := range errs {
		moved := *err
		moved.Field = jobrun.Field(err.Field)
		out[i] = &moved
	}

	return out
}

// secrets notes what the policy advises against.
func (d Declared) secrets(c *Check, o Object, p policy.Policy) {
	warnings := p.Warnings(&d.Container.Spec)
	if len(warnings) == 0 {
		c.note(&o, passes(), "", "")
	}
	for _, w := range warnings {
		found, _, _ := strings.Cut(w, ", and everybody")
		if d.Job {
			found = jobrun.Field(found)
		}
		c.note(&o, fault(SeverityLow, "%s", found), "a Secret that the variable or the file refers to",
			"use valueFrom.secretKeyRef, or spec.files, and change the secret: who may read the object has read it")
	}
}

// refusals of a rule as faults. They show the values that a rule looks at, and no rule shows the value of a variable.
func refusals(r rule, errs field.ErrorList, prefix string) []verdict {
	var out []verdict
	for _, e := range errs {
		found := fmt.Sprintf("%s is %v", e.Field, e.BadValue)
		if e.Type == field.ErrorTypeRequired || e.BadValue == "" {
			found = e.Field + " is not set"
		}
		v := fault(r.severity, "%s%s", prefix, found)
		v.right = e.Detail
		out = append(out, v)
	}

	return out
}

// without are the refusals that are not among others.
func without(errs, others field.ErrorList) field.ErrorList {
	return slices.DeleteFunc(slices.Clone(errs), func(e *field.Error) bool {
		return slices.ContainsFunc(others, func(o *field.Error) bool { return o.Error() == e.Error() })
	})
}

func find(checks []Check, id string) *Check {
	return &checks[slices.IndexFunc(checks, func(c Check) bool { return c.ID == id })]
}
