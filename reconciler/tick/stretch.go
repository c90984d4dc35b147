package tick

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/cron"
)

// covered is how many ticks after one moment up to and at another lie in stretches whose ticks may have had runs.
func covered(s cron.Schedule, ran []v1alpha1.TickStretch, after, until time.Time) int64 {
	var n int64

	for _, r := range ran {
		from, to := r.Since.Add(-time.Second), r.Until.Time
		if from.Before(after) {
			from = after
		}
		if to.After(until) {
			to = until
		}
		n += s.Due(from, to).Count
	}

	return n
}

// cover adds a tick that was decided. One that came next after what was decided before goes on with its stretch, also when it was
// missed: that keeps stretches few. Otherwise one that has a run begins a stretch.
func cover(ran []v1alpha1.TickStretch, decided, tick metav1.Time, next, runs bool) []v1alpha1.TickStretch {
	out := slices.Clone(ran)

	i := slices.IndexFunc(out, func(r v1alpha1.TickStretch) bool { return next && r.Until.Time.Equal(decided.Time) })

	switch {
	case i >= 0:
		out[i].Until = tick
	case runs:
		out = append(out, v1alpha1.TickStretch{Since: tick, Until: tick})
	}

	slices.SortFunc(out, func(a, b v1alpha1.TickStretch) int { return a.Since.Compare(b.Since.Time) })

	for len(out) > v1alpha1.MaxTickStretches {
		out = join(out)
	}

	return out
}

// join makes one stretch of the two that are closest.
func join(ran []v1alpha1.TickStretch) []v1alpha1.TickStretch {
	gap := func(i int) time.Duration { return ran[i+1].Since.Sub(ran[i].Until.Time) }

	closest := 0
	for i := 1; i < len(ran)-1; i++ {
		if gap(i) < gap(closest) {
			closest = i
		}
	}

	ran[closest].Until = ran[closest+1].Until

	return slices.Delete(ran, closest+1, closest+2)
}
