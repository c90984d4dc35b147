package alert

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/autoscale"
)

// maxFact is how long a text of the engine may be in what is told.
const maxFact = 256

// Condition judges an object by its conditions. A condition with the status that is looked for, and another reason, changes
// nothing: what has gone wrong is not well again while something else is being done about it.
func Condition(rule *monitoringv1.ConditionRule, conditions []metav1.Condition) Observation {
	i := slices.IndexFunc(conditions, func(c metav1.Condition) bool { return c.Type == rule.Type })
	if i < 0 {
		return Observation{Verdict: Well}
	}

	c := conditions[i]

	switch {
	case string(c.Status) == string(rule.Status) && (len(rule.Reasons) == 0 || slices.Contains(rule.Reasons, c.Reason)):
		return Observation{Verdict: Wrong, Facts: map[string]string{FactReason: c.Reason, FactMessage: cut(c.Message, maxFact)}}
	case string(c.Status) == string(rule.Status), c.Status == metav1.ConditionUnknown:
		return Observation{}
	default:
		return Observation{Verdict: Well}
	}
}

// wanted are reasons of Ready that somebody has given a TenantContainer.
var wanted = []string{
	v1alpha1.ReasonSuspended, v1alpha1.ReasonScaledToZero, v1alpha1.ReasonOutsideSchedule, v1alpha1.ReasonDeleting,
	v1alpha1.ReasonCompleted, v1alpha1.ReasonPaused, v1alpha1.ReasonMoving, v1alpha1.ReasonRestoring,
}

// Resting is whether somebody has wanted a TenantContainer not to run, or not to change.
func Resting(tc *v1alpha1.TenantContainer) bool {
	if !tc.DeletionTimestamp.IsZero() || tc.Spec.Mode != v1alpha1.ModeGlobal && autoscale.Replicas(tc) == 0 {
		return true
	}

	return slices.ContainsFunc(tc.Status.Conditions, func(c metav1.Condition) bool {
		return c.Type == v1alpha1.ConditionSuspended && c.Status == metav1.ConditionTrue ||
			c.Type == v1alpha1.ConditionReady && slices.Contains(wanted, c.Reason)
	})
}

// Container judges a TenantContainer by its conditions. One that somebody has stopped is not down.
func Container(rule *monitoringv1.ConditionRule, tc *v1alpha1.TenantContainer) Observation {
	if !tc.DeletionTimestamp.IsZero() || rule.Type == v1alpha1.ConditionReady && Resting(tc) {
		return Observation{Verdict: Stopped}
	}

	o := Condition(rule, tc.Status.Conditions)
	if o.Verdict == Wrong && tc.Status.Tasks != "" {
		o.Facts[FactTasks] = tc.Status.Tasks
	}

	return o
}

// downReasons are those of Ready that say that tasks of a container fail, or have no place.
var downReasons = []string{
	v1alpha1.ReasonTaskFailed, v1alpha1.ReasonCrashLoop, v1alpha1.ReasonOOMKilled, v1alpha1.ReasonUnhealthy, v1alpha1.ReasonUnschedulable,
}

// ContainersDown is the spec of the Alert that each tenant has: a container is down. A task that failed and was replaced is
// one notice; a container that stays down is one at once, and one when it has run again for keepFiringFor.
func ContainersDown() monitoringv1.AlertSpec {
	return monitoringv1.AlertSpec{
		Condition: &monitoringv1.ConditionRule{
			Kind: monitoringv1.WatchedContainer, Type: v1alpha1.ConditionReady, Status: monitoringv1.ConditionStatus(metav1.ConditionFalse),
			Reasons: slices.Clone(downReasons),
		},
		Severity: monitoringv1.SeverityCritical,
		Topic:    monitoringv1.TopicContainers,
		// A task that is replaced within a minute gives one notice. The rest is what the schema says, for stores that do not.
		KeepFiringFor: metav1.Duration{Duration: 5 * time.Minute},
		Routing: monitoringv1.Routing{
			GroupWait: metav1.Duration{Duration: time.Minute}, GroupInterval: metav1.Duration{Duration: 5 * time.Minute},
			RepeatInterval: &metav1.Duration{Duration: defaultRepeat},
		},
	}
}
