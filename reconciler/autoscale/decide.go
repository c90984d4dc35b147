package autoscale

import (
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Reading is what is known of one metric of spec.autoscaling.
type Reading struct {
	// Name by which people know it: cpu, memory, the counter, the query.
	Name string
	// Metric that was measured; nil when it could not be, and Missing says why.
	Metric Metric
	// Missing says why it could not be measured.
	Missing string
	// Asleep is true for a metric of tasks while there are to be none: nothing is missing, and nothing is proposed.
	Asleep bool
}

// Remark is a word and a sentence about a condition.
type Remark struct{ Reason, Message string }

// Decision is how many tasks there are to be, and why.
type Decision struct {
	// Desired is the number, within the bounds.
	Desired int32
	// Proposals are what each metric asks for, in their order; nil for those that ask for nothing.
	Proposals []*int32
	// Why the number is to change, for people; empty when it is not.
	Why string
	// Able is why the number is not changed though something else is proposed; its Reason is ReadyForNewScale otherwise.
	Able Remark
	// Active says whether anything could be decided; its Reason is ValidMetricFound when so.
	Active Remark
	// Limited is what keeps the number from what is proposed; its Reason is DesiredWithinRange when nothing does.
	Limited Remark
}

// Decide decides about a container that is meant to run. It remembers what is proposed; whoever changes the number tells
// Memory.Changed.
func (m *Memory) Decide(a *v1alpha1.Autoscaling, c Crowd, readings []Reading, now time.Time) Decision {
	up, down := behaviorOf(a)
	d := Decision{
		Able:    Remark{v1alpha1.ReasonReadyForNewScale, "The number of tasks can be changed"},
		Active:  Remark{v1alpha1.ReasonValidMetricFound, "The number of tasks follows what is measured"},
		Limited: Remark{v1alpha1.ReasonDesiredWithinRange, "The number of tasks is what metrics propose"},
	}

	proposed, by, missing := propose(a, c, readings, tolerance{up.tolerance, down.tolerance}, &d)
	if proposed < 0 || len(missing) > 0 && proposed < c.Current {
		// What is not known proposes that things stay as they are, for as long as a window looks back.
		m.propose(c.Current, now)
		d.Desired = within(c.Current, a)
		d.Active = Remark{v1alpha1.ReasonFailedGetMetric, strings.Join(missing, "; ")}

		return d
	}

	stable := m.stabilize(c.Current, proposed, up, down, now)
	m.propose(proposed, now)
	if stable != proposed {
		d.Able = stabilized(proposed, c.Current)
	}
	if stable < c.Current && a.CooldownSeconds != nil && now.Sub(m.changedAt) < seconds(*a.CooldownSeconds) {
		stable = c.Current
		d.Able = Remark{v1alpha1.ReasonCoolingDown, "Fewer tasks are proposed, and the last change is less than cooldownSeconds ago"}
	}

	d.Desired, d.Limited = m.limit(a, c.Current, stable, up, down, now, d.Limited)
	switch {
	case d.Desired > c.Current:
		d.Why = by + " is above its target"
	case d.Desired < c.Current:
		d.Why = "all metrics are below their targets"
	}

	return d
}

// propose asks each metric, and is the most that is asked for, which metric asked, and what could not be measured. It is
// negative when nothing could.
func propose(a *v1alpha1.Autoscaling, c Crowd, readings []Reading, t tolerance, d *Decision) (proposed int32, by string, missing []string) {
	proposed = -1
	d.Proposals = make([]*int32, len(readings))
	idle := false

	for i, r := range readings {
		if r.Metric == nil {
			if !r.Asleep {
				missing = append(missing, r.Name+": "+r.Missing)
			}

			continue
		}

		n := r.Metric.propose(c, t)
		d.Proposals[i] = &n

		if _, tasks := r.Metric.(PerTask); tasks {
			n = max(n, 1) // Tasks that have nothing to do cannot tell whether somebody is about to come.
		} else if n == 0 {
			idle = true
		}
		if n > proposed {
			proposed, by = n, r.Name
		}
	}

	if idle && sleeps(a, readings, d.Proposals) {
		proposed = 0
	}

	return proposed, by, missing
}

// sleeps is true when no task is needed: each trigger that could wake the container is idle, and its tasks have no more to do
// than one of them can.
func sleeps(a *v1alpha1.Autoscaling, readings []Reading, proposals []*int32) bool {
	if least(a) > 0 {
		return false
	}

	for i, r := range readings {
		n := proposals[i]
		if n == nil {
			if !r.Asleep {
				return false
			}

			continue
		}
		if _, tasks := r.Metric.(PerTask); tasks && *n > 1 || !tasks && *n > 0 {
			return false
		}
	}

	return true
}

func stabilized(proposed, current int32) Remark {
	if proposed >= current {
		return Remark{v1alpha1.ReasonScaleUpStabilized, "More tasks are proposed, and fewer were within the stabilization window of scaleUp"}
	}

	return Remark{v1alpha1.ReasonScaleDownStabilized, "Fewer tasks are proposed, and more were within the stabilization window of scaleDown"}
}

// limit holds a number to the policies and the bounds.
func (m *Memory) limit(a *v1alpha1.Autoscaling, current, wanted int32, up, down rules, now time.Time, free Remark) (int32, Remark) {
	remark := free

	switch {
	case wanted > current:
		if most := up.most(current, m, now); wanted > most {
			wanted, remark = most, Remark{v1alpha1.ReasonScaleUpLimit, "The policies of behavior.scaleUp allow no more tasks at the moment"}
		}
	case wanted < current:
		if fewest := down.fewest(current, m, now); wanted < fewest {
			wanted, remark = fewest, Remark{v1alpha1.ReasonScaleDownLimit, "The policies of behavior.scaleDown allow no fewer tasks at the moment"}
		}
	}

	switch {
	case wanted > a.MaxReplicas:
		return a.MaxReplicas, Remark{v1alpha1.ReasonTooManyReplicas, fmt.Sprintf("More tasks are proposed than maxReplicas, which is %d", a.MaxReplicas)}
	case wanted < least(a):
		return least(a), Remark{v1alpha1.ReasonTooFewReplicas, fmt.Sprintf("Fewer tasks are proposed than minReplicas, which is %d", least(a))}
	default:
		return wanted, remark
	}
}
