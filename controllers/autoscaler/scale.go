package autoscaler

import (
	"context"
	"log/slog"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/schedule"
)

// scale decides about one container, does what was decided, and reports it.
func (a *Autoscaler) scale(ctx, reads context.Context, tc *v1alpha1.TenantContainer, s *state, log *slog.Logger) error {
	now := a.Now()
	current := autoscale.Replicas(tc)

	if why, ok := idle(tc, now); ok {
		s.memory, s.counters = nil, nil
		a.metrics.decided(outcomeHeld)

		return a.report(ctx, tc, s, notActive(tc, current, why), now)
	}

	memory := s.begin(tc, current, now)
	seen := a.look(reads, tc, current)
	metrics := a.measure(reads, tc, seen, s, now)
	d := memory.Decide(tc.Spec.Autoscaling, seen.crowd, readings(metrics), now)

	r := reportOf(tc, current, d, metrics)
	changed, err := a.act(ctx, tc, s, current, &d, log)
	r.decided(d)

	switch {
	case err != nil:
		r.able(false, v1alpha1.ReasonFailedRescale, "The number of tasks could not be changed; it is tried again")
	case changed != current:
		memory.Changed(current, changed, now)
		r.scaled(current, changed, now)
		a.announce(tc, current, changed, d.Why)
		log.InfoContext(ctx, "Scaled TenantContainer", "from", current, "to", changed, "why", d.Why)
	}
	a.metrics.decided(outcomeOf(d, current, changed))
	if reported := a.report(ctx, tc, s, r, now); err == nil {
		err = reported
	}

	return err
}

// idle is why a container is not to be decided about: it is not to run, or people have turned it off.
func idle(tc *v1alpha1.TenantContainer, now time.Time) (autoscale.Remark, bool) {
	_, suspended := tc.Annotations[v1alpha1.AnnotationSuspend]

	switch {
	case suspended || conditions.IsTrue(tc, v1alpha1.ConditionSuspended):
		return autoscale.Remark{Reason: v1alpha1.ReasonNotRunning, Message: "The container is suspended"}, true
	case waitsForData(tc):
		return autoscale.Remark{Reason: v1alpha1.ReasonNotRunning, Message: "A Volume that it mounts is being moved, or has no data yet"}, true
	case closed(tc, now):
		return autoscale.Remark{Reason: v1alpha1.ReasonNotRunning, Message: "No window of spec.schedule is open"}, true
	case autoscale.Disabled(tc):
		return autoscale.Remark{Reason: v1alpha1.ReasonScalingDisabled, Message: "spec.replicas is 0, which turns autoscaling off"}, true
	default:
		return autoscale.Remark{}, false
	}
}

// waitsForData is true while nothing of a container may run because of a Volume: that says nothing about how much it has to do.
func waitsForData(tc *v1alpha1.TenantContainer) bool {
	ready := conditions.Get(tc, conditions.Ready)

	return ready != nil && (ready.Reason == v1alpha1.ReasonMoving || ready.Reason == v1alpha1.ReasonRestoring || ready.Reason == v1alpha1.ReasonRestoreFailed)
}

func closed(tc *v1alpha1.TenantContainer, now time.Time) bool {
	if tc.Spec.Schedule == nil {
		return false
	}
	windows, err := schedule.Of(tc.Spec.Schedule, field.NewPath("spec", "schedule"))

	return err != nil || !windows.Open(now)
}

func readings(metrics []measured) []autoscale.Reading {
	out := make([]autoscale.Reading, len(metrics))
	for i, m := range metrics {
		out[i] = m.reading
	}

	return out
}

// report is what status.autoscaling is to be.
type report struct {
	v1alpha1.AutoscalingStatus

	generation int64
}

// GetGeneration implements conditions.Object.
func (r *report) GetGeneration() int64 { return r.generation }

// GetConditions implements conditions.Object.
func (r *report) GetConditions() []metav1.Condition { return r.Conditions }

// SetConditions implements conditions.Object.
func (r *report) SetConditions(c []metav1.Condition) { r.Conditions = c }

// newReport has what is still so of the last one.
func newReport(tc *v1alpha1.TenantContainer, current int32) *report {
	r := &report{generation: tc.Generation}
	if last := tc.Status.Autoscaling; last != nil {
		last = last.DeepCopy()
		r.LastScaleTime, r.LastScaleFrom, r.Conditions = last.LastScaleTime, last.LastScaleFrom, last.Conditions
	}
	r.ObservedGeneration, r.CurrentReplicas, r.DesiredReplicas = tc.Generation, current, current

	return r
}

// notActive is the report of a container that is not decided about.
func notActive(tc *v1alpha1.TenantContainer, current int32, why autoscale.Remark) *report {
	r := newReport(tc, current)
	conditions.Set(r, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, why.Reason, why.Message)
	conditions.Delete(r, v1alpha1.ConditionAbleToScale)
	conditions.Delete(r, v1alpha1.ConditionScalingLimited)

	return r
}

func reportOf(tc *v1alpha1.TenantContainer, current int32, d autoscale.Decision, metrics []measured) *report {
	r := newReport(tc, current)
	for i, m := range metrics {
		if i < len(d.Proposals) {
			m.shown.ProposedReplicas = d.Proposals[i]
		}
		m.shown.Name = short(m.shown.Name)
		r.CurrentMetrics = append(r.CurrentMetrics, m.shown)
	}

	return r
}

// decided puts the decision into the conditions.
func (r *report) decided(d autoscale.Decision) {
	r.DesiredReplicas = d.Desired
	r.able(true, d.Able.Reason, d.Able.Message)

	active := d.Active.Reason == v1alpha1.ReasonValidMetricFound
	conditions.Set(r, v1alpha1.ConditionScalingActive, status(active), d.Active.Reason, d.Active.Message)
	limited := d.Limited.Reason != v1alpha1.ReasonDesiredWithinRange
	conditions.Set(r, v1alpha1.ConditionScalingLimited, status(limited), d.Limited.Reason, d.Limited.Message)
}

func (r *report) able(able bool, reason, message string) {
	conditions.Set(r, v1alpha1.ConditionAbleToScale, status(able), reason, message)
}

// scaled puts a change on record.
func (r *report) scaled(from, to int32, now time.Time) {
	r.DesiredReplicas, r.LastScaleFrom = to, &from
	r.LastScaleTime = new(metav1.NewTime(now).Rfc3339Copy())
	r.able(true, v1alpha1.ReasonSucceededRescale, "The number of tasks has been changed")
}

func status(is bool) metav1.ConditionStatus {
	if is {
		return metav1.ConditionTrue
	}

	return metav1.ConditionFalse
}

// short is a name that fits into a column.
func short(name string) string {
	const most = 256

	if r := []rune(name); len(r) > most {
		return string(r[:most-1]) + "…"
	}

	return name
}
