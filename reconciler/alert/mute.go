package alert

import (
	"time"

	"k8s.io/apimachinery/pkg/util/validation/field"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/schedule"
)

// Mutes are the times in which nothing is told.
type Mutes struct {
	silences []monitoringv1.Silence
	windows  *schedule.Windows
}

// MutesOf reads what is declared at a path.
func MutesOf(spec *monitoringv1.AlertSpec, path *field.Path) (Mutes, *field.Error) {
	m := Mutes{silences: spec.Silences}

	if spec.MuteTimes == nil {
		return m, nil
	}

	windows, err := schedule.Of(spec.MuteTimes, path.Child("muteTimes"))
	if err != nil {
		return Mutes{}, err
	}

	m.windows = &windows

	return m, nil
}

// Muted is whether nothing is told of a series with these labels at that moment.
func (m Mutes) Muted(labels map[string]string, at time.Time) bool {
	if m.windows != nil && m.windows.Open(at) {
		return true
	}

	for _, s := range m.silences {
		if (s.From == nil || !at.Before(s.From.Time)) && at.Before(s.Until.Time) && matches(s, labels) {
			return true
		}
	}

	return false
}

func matches(s monitoringv1.Silence, labels map[string]string) bool {
	for name, value := range s.MatchLabels {
		if labels[name] != string(value) {
			return false
		}
	}

	return true
}

// Change is the first moment after that one at which Muted may say something else; the zero time for never.
func (m Mutes) Change(after time.Time) time.Time {
	var first time.Time

	at := func(t time.Time) {
		if t.After(after) {
			first = earlier(first, t)
		}
	}

	if m.windows != nil {
		at(m.windows.Change(after))
	}

	for _, s := range m.silences {
		if s.From != nil {
			at(s.From.Time)
		}

		at(s.Until.Time)
	}

	return first
}

// earlier is the first of two times of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}

	return a
}
