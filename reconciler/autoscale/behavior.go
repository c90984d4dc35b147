package autoscale

import (
	"math"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Kubernetes' own defaults.
const (
	defaultTolerance  = 0.1
	defaultDownWindow = 300 * time.Second
)

var (
	defaultUpPolicies = []v1alpha1.ScalingPolicy{
		{Type: v1alpha1.PolicyPods, Value: 4, PeriodSeconds: 15},
		{Type: v1alpha1.PolicyPercent, Value: 100, PeriodSeconds: 15},
	}
	defaultDownPolicies = []v1alpha1.ScalingPolicy{{Type: v1alpha1.PolicyPercent, Value: 100, PeriodSeconds: 15}}
)

// rules are those of one direction, with everything filled in.
type rules struct {
	window    time.Duration
	tolerance float64
	choose    v1alpha1.ScalingPolicySelect
	policies  []v1alpha1.ScalingPolicy
}

// behaviorOf are the rules of both directions.
func behaviorOf(a *v1alpha1.Autoscaling) (up, down rules) {
	up = rules{tolerance: defaultTolerance, choose: v1alpha1.SelectMax, policies: defaultUpPolicies}
	down = rules{window: defaultDownWindow, tolerance: defaultTolerance, choose: v1alpha1.SelectMax, policies: defaultDownPolicies}
	if b := a.Behavior; b != nil {
		up.fill(b.ScaleUp)
		down.fill(b.ScaleDown)
	}

	return up, down
}

func (r *rules) fill(declared *v1alpha1.ScalingRules) {
	if declared == nil {
		return
	}
	if s := declared.StabilizationWindowSeconds; s != nil {
		r.window = seconds(*s)
	}
	if declared.SelectPolicy != nil {
		r.choose = *declared.SelectPolicy
	}
	if len(declared.Policies) > 0 {
		r.policies = declared.Policies
	}
	if declared.Tolerance != nil {
		r.tolerance = Float(*declared.Tolerance)
	}
}

// Float is an amount as a number.
func Float(q resource.Quantity) float64 { return q.AsApproximateFloat64() }

func seconds(n int32) time.Duration { return time.Duration(n) * time.Second }

// most is how many tasks there may be now. Each policy counts from how many there were at the beginning of its period.
func (r rules) most(current int32, m *Memory, now time.Time) int32 {
	pick := slices.Max[[]float64]
	switch r.choose {
	case v1alpha1.SelectDisabled:
		return current
	case v1alpha1.SelectMin:
		pick = slices.Min[[]float64]
	}

	limit := pick(r.limits(current, m, now, func(p v1alpha1.ScalingPolicy, began float64) float64 {
		if p.Type == v1alpha1.PolicyPods {
			return began + float64(p.Value)
		}

		return math.Ceil(began * (1 + float64(p.Value)/100))
	}))
	if current == 0 {
		// A share of nothing is nothing, and nobody who scales to zero means to stay there.
		limit = max(limit, 1)
	}

	return int32(min(max(limit, float64(current)), math.MaxInt32))
}

// fewest is how few tasks there may be now. The policy that allows most is the one with the least number.
func (r rules) fewest(current int32, m *Memory, now time.Time) int32 {
	pick := slices.Min[[]float64]
	switch r.choose {
	case v1alpha1.SelectDisabled:
		return current
	case v1alpha1.SelectMin:
		pick = slices.Max[[]float64]
	}

	limit := pick(r.limits(current, m, now, func(p v1alpha1.ScalingPolicy, began float64) float64 {
		if p.Type == v1alpha1.PolicyPods {
			return began - float64(p.Value)
		}

		return math.Floor(began * (1 - float64(p.Value)/100))
	}))

	return int32(max(min(limit, float64(current)), 0))
}

// limits are what each policy allows, going by how many tasks there were when its period began.
func (r rules) limits(current int32, m *Memory, now time.Time, limit func(p v1alpha1.ScalingPolicy, began float64) float64) []float64 {
	out := make([]float64, len(r.policies))
	for i, p := range r.policies {
		out[i] = limit(p, float64(current-m.changed(now.Add(-seconds(p.PeriodSeconds)))))
	}

	return out
}
