package autoscaler

import (
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
)

// refusalHolds is for how long a number that was refused is not asked for again.
const refusalHolds = time.Minute

// state is what is remembered of one container. Only the round uses it, and no two rounds at once.
type state struct {
	// memory of decisions; nil while the container is not to run, so that it begins anew afterwards.
	memory *autoscale.Memory
	// counters as they were read last, by container and counter.
	counters map[string]reading
	// refused is the least number of tasks that was refused, until a time, and why.
	refused      int32
	refusedUntil time.Time
	refusal      autoscale.Remark
	// version of the object that we have written last.
	version string
	// reported is when the status was written last.
	reported time.Time
}

// reading is a counter at a time.
type reading struct {
	value float64
	at    time.Time
}

// behind is true while the cache shows an older version than we have written.
func (s *state) behind(version string) bool {
	if s.version == "" {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, s.version)

	return err == nil && order < 0
}

// begin is the memory, made from what is on record when there is none.
func (s *state) begin(tc *v1alpha1.TenantContainer, current int32, now time.Time) *autoscale.Memory {
	if s.memory == nil {
		var last autoscale.Last
		if r := tc.Status.Autoscaling; r != nil && r.LastScaleTime != nil && r.LastScaleFrom != nil {
			last = autoscale.Last{At: r.LastScaleTime.Time, From: *r.LastScaleFrom}
		}
		s.memory = autoscale.Begin(current, last, now)
	}

	return s.memory
}

// ceiling is the most that may be asked for now.
func (s *state) ceiling(wanted int32, now time.Time) int32 {
	if s.refused > 0 && now.Before(s.refusedUntil) && wanted >= s.refused {
		return s.refused - 1
	}

	return wanted
}

func (s *state) refuse(n int32, why autoscale.Remark, now time.Time) {
	s.refused, s.refusal, s.refusedUntil = n, why, now.Add(refusalHolds)
}
