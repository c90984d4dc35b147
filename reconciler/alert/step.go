package alert

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
)

// MaxSeries is how many series an Alert remembers, which are those that are not as they should be.
const MaxSeries = 64

// Verdict is what is known of a series.
type Verdict int

// The verdicts.
const (
	// Unknown changes nothing.
	Unknown Verdict = iota
	// Well is that nothing is wrong.
	Well
	// Wrong is that something is.
	Wrong
	// Stopped is that somebody has wanted it so.
	Stopped
)

// Observation is what is known of one series now.
type Observation struct {
	// Labels tell it from others of the same Alert.
	Labels map[string]string
	// Verdict over it.
	Verdict Verdict
	// Value that it was judged by, if that is a number.
	Value string
	// Facts that are told of it, when it is Wrong.
	Facts map[string]string
}

// Step brings what is remembered of series up to what was observed. A series that was not observed is gone: when nothing at all
// could be observed, there is no step. It returns how many series there was no room for.
//
// Times in the status have whole seconds, as the API keeps them, so that it makes no difference whether it was read back.
func Step(spec *monitoringv1.AlertSpec, st *monitoringv1.AlertStatus, observed []Observation, now time.Time) (omitted int) {
	now = now.Truncate(time.Second)

	fresh := map[string]Observation{}
	for _, o := range observed {
		fresh[Fingerprint(o.Labels)] = o
	}

	// The slice may be shared with a copy that shows what was before.
	series := make([]monitoringv1.AlertSeries, 0, len(st.Series))

	for _, s := range st.Series {
		if o, there := fresh[s.Fingerprint]; there {
			advance(spec, &s, o, now)
		} else {
			stop(&s, EndingGone, now)
		}

		delete(fresh, s.Fingerprint)

		if remembered(spec, &s) {
			series = append(series, s)
		}
	}

	for _, print := range slices.Sorted(maps.Keys(fresh)) {
		o := fresh[print]

		switch {
		case o.Verdict != Wrong:
		case len(series) >= MaxSeries:
			omitted++
		default:
			s := monitoringv1.AlertSeries{Fingerprint: print, Labels: o.Labels, State: monitoringv1.StateInactive}
			advance(spec, &s, o, now)
			series = append(series, s)
		}
	}

	settle(st, series)

	return omitted
}

// advance brings one series up to what was observed of it.
func advance(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries, o Observation, now time.Time) {
	switch o.Verdict {
	case Wrong:
		wrong(spec, s, o, now)
	case Well:
		well(spec, s, now)
	case Stopped:
		stop(s, EndingStopped, now)
	case Unknown:
	}
}

// wrong begins an incident, carries one on, or has one come back that was not over, or not told to be.
func wrong(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries, o Observation, now time.Time) {
	switch {
	case s.State == monitoringv1.StateFiring && s.EndsAt == nil:
		return
	case s.State == monitoringv1.StateFiring || over(s):
		s.EndsAt, s.Ending = nil, ""
		s.Occurrences++
		enter(s, monitoringv1.StateFiring, now)
	case s.State == monitoringv1.StateInactive:
		s.StartsAt, s.Occurrences = metav1.NewTime(now), 1
		enter(s, monitoringv1.StatePending, now)
	case now.Sub(s.StartsAt.Time) < spec.For.Duration:
		return // It is written down when something becomes of it.
	}

	if s.State == monitoringv1.StatePending && now.Sub(s.StartsAt.Time) >= spec.For.Duration {
		enter(s, monitoringv1.StateFiring, now)
	}

	s.Value, s.Facts = o.Value, o.Facts
}

// well ends what was about to be an incident, and one that it has been quiet after for long enough.
func well(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries, now time.Time) {
	switch s.State {
	case monitoringv1.StatePending:
		enter(s, monitoringv1.StateInactive, now)
	case monitoringv1.StateFiring:
		if s.EndsAt == nil {
			s.EndsAt = &metav1.Time{Time: now}
		}

		if now.Sub(s.EndsAt.Time) >= spec.KeepFiringFor.Duration {
			enter(s, monitoringv1.StateInactive, now)
		}
	case monitoringv1.StateInactive:
	}
}

// stop ends an incident at once: nobody is to be woken for what somebody has stopped.
func stop(s *monitoringv1.AlertSeries, ending string, now time.Time) {
	switch s.State {
	case monitoringv1.StatePending:
		enter(s, monitoringv1.StateInactive, now)
	case monitoringv1.StateFiring:
		// One that had got better before was over then, and by itself.
		if s.EndsAt == nil {
			s.EndsAt, s.Ending = &metav1.Time{Time: now}, ending
		}

		enter(s, monitoringv1.StateInactive, now)
	case monitoringv1.StateInactive:
	}
}

func enter(s *monitoringv1.AlertSeries, state monitoringv1.AlertState, now time.Time) {
	if s.State != state {
		s.State, s.Since = state, metav1.NewTime(now)
	}
}

// over is true for an incident that is over and not told to be.
func over(s *monitoringv1.AlertSeries) bool {
	return s.State == monitoringv1.StateInactive && s.EndsAt != nil
}

// remembered is whether there is anything left to say of a series. Who was told nothing of an incident is told in one that it
// has been; not if it was ended by somebody, who knows.
func remembered(spec *monitoringv1.AlertSpec, s *monitoringv1.AlertSeries) bool {
	switch {
	case !over(s):
		return s.State != monitoringv1.StateInactive
	case s.Told == monitoringv1.StateFiring:
		return spec.SendResolved == nil || *spec.SendResolved
	default:
		return s.Ending == ""
	}
}

// rank of states, the worst first.
var rank = map[monitoringv1.AlertState]int{monitoringv1.StateFiring: 0, monitoringv1.StatePending: 1, monitoringv1.StateInactive: 2}

// settle puts series into a status, in the order that people read them in, and counts them.
func settle(st *monitoringv1.AlertStatus, series []monitoringv1.AlertSeries) {
	slices.SortFunc(series, func(a, b monitoringv1.AlertSeries) int {
		return cmp.Or(cmp.Compare(rank[a.State], rank[b.State]), strings.Compare(a.Fingerprint, b.Fingerprint))
	})

	st.Series, st.State, st.Firing, st.Pending = series, monitoringv1.StateInactive, 0, 0
	if len(series) == 0 {
		st.Series = nil
	}

	for _, s := range series {
		switch s.State {
		case monitoringv1.StateFiring:
			st.Firing++
		case monitoringv1.StatePending:
			st.Pending++
		case monitoringv1.StateInactive:
		}
	}

	switch {
	case st.Firing > 0:
		st.State = monitoringv1.StateFiring
	case st.Pending > 0:
		st.State = monitoringv1.StatePending
	}
}

// Forget takes everything out of a status that is remembered of incidents.
func Forget(st *monitoringv1.AlertStatus) {
	settle(st, nil)
	st.Groups = nil
}
