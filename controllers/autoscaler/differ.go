package autoscaler

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// differs is true when a status is to be written in place of another one. Values by themselves are a reason only now and then:
// they are different each time, and each write wakes everybody who watches.
func differs(was, is *v1alpha1.AutoscalingStatus, values bool) bool {
	if was == nil {
		return true
	}
	if values {
		return !equality.Semantic.DeepEqual(was, is)
	}

	return !equality.Semantic.DeepEqual(plain(was), plain(is))
}

// plain is a status without what was measured.
func plain(s *v1alpha1.AutoscalingStatus) *v1alpha1.AutoscalingStatus {
	s = s.DeepCopy()
	for i := range s.CurrentMetrics {
		m := &s.CurrentMetrics[i]
		m.AverageUtilization, m.AverageValue, m.Value, m.ProposedReplicas, m.Message = nil, nil, nil, nil, ""
	}

	return s
}
