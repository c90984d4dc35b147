package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Options limit a report.
type Options struct {
	// Namespace whose objects alone are wanted. Checks of engine, host and swarm are left out then.
	Namespace string
	// Severity is the mildest that is wanted; the zero value is SeverityLow.
	Severity Severity
}

// verdict is what a judge says of one object.
type verdict struct {
	outcome  Outcome
	severity Severity
	// found is what there is, for a finding.
	found string
	// right and remedy win over those of the check where they are set.
	right, remedy string
	// why is for the outcomes that are neither yes nor no.
	why string
}

func passes() verdict { return verdict{outcome: OutcomePass} }

func fault(s Severity, found string, args ...any) verdict {
	return verdict{outcome: OutcomeFinding, severity: s, found: fmt.Sprintf(found, args...)}
}

func notApplicable(why string, args ...any) verdict {
	return verdict{outcome: OutcomeNotApplicable, why: fmt.Sprintf(why, args...)}
}

func unseen(why string, args ...any) verdict {
	return verdict{outcome: OutcomeUnseen, why: fmt.Sprintf(why, args...)}
}

// faultIf is a fault where the condition holds, and passes where it does not.
func faultIf(condition bool, s Severity, found string, args ...any) verdict {
	if condition {
		return fault(s, found, args...)
	}

	return passes()
}

// Evaluate holds the input against all checks.
func Evaluate(in Input, o Options) Report {
	o.Severity = cmp.Or(o.Severity, SeverityLow)
	if o.Namespace != "" {
		in = within(in, o.Namespace)
	}

	var checks []Check
	if o.Namespace == "" {
		checks = slices.Concat(hostSection(in), engineSection(in))
	}
	checks = append(checks, containerSections(in)...)
	if o.Namespace == "" {
		checks = append(checks, swarmSection(in)...)
		checks = append(checks, notLookedAt()...)
	}
	checks = append(checks, ruleSection(in)...)
	checks = append(checks, deliverySection(in)...)
	slices.SortStableFunc(checks, compareChecks)

	r := Report{
		APIVersion: ReportAPIVersion, Kind: ReportKind, Benchmark: Benchmark, Time: in.Now.UTC(),
		Scope: scopeOf(in, o),
		Summary: Summary{
			Checks: map[Outcome]int{}, Findings: map[Severity]int{}, Hidden: map[Severity]int{},
		},
	}
	for _, c := range checks {
		r.add(c, o.Severity)
	}

	return r
}

// add counts a check in, without the findings that are milder than wanted.
func (r *Report) add(c Check, mildest Severity) {
	var kept []Finding
	for _, f := range c.Findings {
		if f.Severity.rank() > mildest.rank() {
			r.Summary.Hidden[f.Severity]++
			c.Hidden++

			continue
		}
		r.Summary.Findings[f.Severity]++
		kept = append(kept, f)
	}
	c.Findings = kept
	c.Outcome = c.outcome()

	r.Summary.Checks[c.Outcome]++
	r.Checks = append(r.Checks, c)
}

// outcome is the one that must not be overlooked.
func (c Check) outcome() Outcome {
	switch {
	case len(c.Findings) > 0:
		return OutcomeFinding
	case c.Hidden > 0:
		return OutcomeHidden
	case len(c.Unseen) > 0:
		return OutcomeUnseen
	case c.Passed > 0 || len(c.NotApplicable) == 0:
		return OutcomePass
	default:
		return OutcomeNotApplicable
	}
}

// note adds what a judge says of an object. Without an object it is about all of them.
func (c *Check) note(o *Object, v verdict, right, remedy string) {
	switch v.outcome {
	case OutcomePass:
		c.Passed++
	case OutcomeFinding:
		c.Findings = append(c.Findings, Finding{
			Severity: v.severity, Object: *o, Found: v.found, Right: cmp.Or(v.right, right), Remedy: cmp.Or(v.remedy, remedy),
		})
	case OutcomeNotApplicable:
		c.NotApplicable = because(c.NotApplicable, v.why, o)
	case OutcomeUnseen:
		c.Unseen = because(c.Unseen, v.why, o)
	}
}

// because adds the object to those with the same reason.
func because(reasons []Reason, why string, o *Object) []Reason {
	i := slices.IndexFunc(reasons, func(r Reason) bool { return r.Why == why })
	if i < 0 {
		reasons, i = append(reasons, Reason{Why: why}), len(reasons)
	}
	if o != nil && !slices.Contains(reasons[i].Objects, *o) {
		reasons[i].Objects = append(reasons[i].Objects, *o)
	}

	return reasons
}

// within keeps what belongs to a namespace.
func within(in Input, namespace string) Input {
	in.Workloads = slices.DeleteFunc(slices.Clone(in.Workloads), func(w Workload) bool { return w.Object.Namespace != namespace })
	in.Declared = slices.DeleteFunc(slices.Clone(in.Declared), func(d Declared) bool { return d.Container.Namespace != namespace })

	in.Deliveries = deliveriesWithin(in.Deliveries, namespace)

	return in
}

func scopeOf(in Input, o Options) Scope {
	s := Scope{
		Node: in.Engine.Info.Name, EngineVersion: in.Engine.Info.ServerVersion, APIVersion: in.Engine.APIVersion,
		Namespace: o.Namespace, Severity: o.Severity,
	}
	for _, w := range in.Workloads {
		s.Containers += len(w.Live)
		switch {
		case w.Object.Kind == KindContainer:
		case w.Ours():
			s.Services++
		default:
			s.ForeignServices++
		}
	}
	if in.Swarm != nil {
		for _, n := range in.Swarm.Nodes {
			if n.ID != in.Engine.Info.Swarm.NodeID {
				s.OtherNodes = append(s.OtherNodes, n.Description.Hostname)
			}
		}
	}
	slices.Sort(s.OtherNodes)

	return s
}

// compareChecks sorts by number, part by part; ids that are no numbers come behind in their own order.
func compareChecks(x, y Check) int {
	a, b := numbers(x.ID), numbers(y.ID)
	if a == nil || b == nil {
		return cmp.Compare(len(b), len(a)) // Only whether they are numbers; the sort keeps the rest as it is.
	}

	return slices.Compare(a, b)
}

// numbers of an id such as 5.4; an id such as 1.1.3-1.1.18 stands where its first number does. A rule has none.
func numbers(id string) []int {
	first, _, _ := strings.Cut(id, "-")

	var out []int
	for part := range strings.SplitSeq(first, ".") {
		n := 0
		if _, err := fmt.Sscanf(part, "%d", &n); err != nil {
			return nil
		}
		out = append(out, n)
	}

	return out
}
