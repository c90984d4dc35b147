package workload

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/schedule"
)

// timetable is what spec.schedule says about the moment of a pass. The zero value is that of a container without one.
type timetable struct {
	closed bool
	// change is when that will be different; the zero time when it never will.
	change time.Time
	zone   *time.Location
}

// timetableOf reads spec.schedule. Admission refuses what cannot be read; this is for what was stored by another version.
func timetableOf(s *v1alpha1.Schedule, now time.Time) (timetable, error) {
	if s == nil {
		return timetable{}, nil
	}

	windows, err := schedule.Of(s, field.NewPath("spec", "schedule"))
	if err != nil {
		return timetable{}, &outcome.Stall{Reason: v1alpha1.ReasonInvalidSchedule, Message: err.Error()}
	}

	return timetable{closed: !windows.Open(now), change: windows.Change(now), zone: windows.Zone()}, nil
}

// scheduled holds a container at nothing outside of its windows.
func scheduled(w wish, s scale) scale {
	if w.timetable.closed {
		return scale{resting: true, until: w.timetable.change}
	}

	return s
}

// left is how long the timetable stays as it is; zero when there is nothing to look again for.
func (t timetable) left(now time.Time) time.Duration {
	if t.change.IsZero() {
		return 0
	}

	// A timer that is a little early would find the window as it was.
	return t.change.Sub(now) + 10*time.Millisecond
}

// restingText says when the container runs again. It stays the same for as long as it does not run.
func restingText(s scale, zone *time.Location) string {
	if s.until.IsZero() {
		return "No window of spec.schedule ever opens"
	}

	return fmt.Sprintf("No window of spec.schedule is open before %s", s.until.In(zone).Format("Monday 15:04 MST"))
}
