package autoscale

import (
	"strconv"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Replicas is how many tasks a container of mode Replicated is to have, before anybody suspends it: what spec.replicas says,
// and with spec.autoscaling what the autoscaler has decided, within its bounds. Until it has, spec.replicas is the number to
// begin with. A spec.replicas of 0 turns autoscaling off, unless it may scale to 0 itself.
func Replicas(tc *v1alpha1.TenantContainer) int32 {
	n := int32(1)
	if tc.Spec.Replicas != nil {
		n = max(*tc.Spec.Replicas, 0)
	}

	a := tc.Spec.Autoscaling
	if a == nil || tc.Spec.Mode == v1alpha1.ModeGlobal || Disabled(tc) {
		return n
	}
	if decided, ok := Decided(tc); ok {
		n = decided
	}

	return within(n, a)
}

// Disabled is true for a container that people have turned off by spec.replicas 0, as they turn off a HorizontalPodAutoscaler.
func Disabled(tc *v1alpha1.TenantContainer) bool {
	a := tc.Spec.Autoscaling

	return a != nil && least(a) > 0 && tc.Spec.Replicas != nil && *tc.Spec.Replicas == 0
}

// Decided is the number that the autoscaler has written; false when there is none that can be read.
func Decided(tc *v1alpha1.TenantContainer) (int32, bool) {
	n, err := strconv.ParseInt(tc.Annotations[v1alpha1.AnnotationReplicas], 10, 32)
	if err != nil || n < 0 {
		return 0, false
	}

	return int32(n), true
}

func within(n int32, a *v1alpha1.Autoscaling) int32 {
	return max(min(n, a.MaxReplicas), least(a))
}

// least is the fewest tasks there may be.
func least(a *v1alpha1.Autoscaling) int32 {
	if a.MinReplicas == nil {
		return 1
	}

	return *a.MinReplicas
}
