//go:build e2e

package e2e

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// openUntil is a schedule with one window that is open now and closes after that many whole minutes, at most.
func openUntil(minutes time.Duration) change {
	return func(tc *v1alpha1.TenantContainer) {
		now := time.Now().UTC()
		hours := func(at time.Time) v1alpha1.ClockTime { return v1alpha1.ClockTime(at.Format("15:04")) }
		tc.Spec.Schedule = &v1alpha1.Schedule{Windows: []v1alpha1.RunWindow{{Start: hours(now), Stop: hours(now.Add(minutes * time.Minute))}}}
	}
}

// closed is a schedule whose only window opens in half a day.
func closed(tc *v1alpha1.TenantContainer) {
	now := time.Now().UTC()
	tc.Spec.Schedule = &v1alpha1.Schedule{Windows: []v1alpha1.RunWindow{{
		Start: v1alpha1.ClockTime(now.Add(12 * time.Hour).Format("15:04")), Stop: v1alpha1.ClockTime(now.Add(13 * time.Hour).Format("15:04")),
	}}}
}

// TestSchedule has windows open and close, by the spec and by the clock: no tasks outside, the same revision and service
// inside, and nobody who waits for what rests.
func TestSchedule(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	n.create(app("night", "v1", replicas(2), closed))
	n.create(app("agent", "v1", func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeGlobal }, closed))
	n.create(app("front", "v1", dependsOn("night")))
	for _, name := range []string{"night", "agent"} {
		tc := n.condition(soon, name, conditions.Ready, metav1.ConditionTrue, v1alpha1.ReasonOutsideSchedule)
		if err := wantf(tc.Status.Tasks, "0/0", "tasks of %s outside of its window", name); err != nil {
			t.Error(err)
		}
	}
	n.ready("front")

	// The window closes between two and three minutes from now, and nobody touches the object.
	n.edit("night", openUntil(3))
	n.edit("agent", openUntil(3))
	night := n.ready("night")
	n.condition(soon, "agent", conditions.Ready, metav1.ConditionTrue, v1alpha1.ReasonRunning)
	service := n.service("night")
	rests := func() error {
		tc, err := n.read("night")
		if err != nil {
			return err
		}

		return errors.Join(wantf(tc.Status.Tasks, "0/0", "tasks"), says(tc, conditions.Ready, metav1.ConditionTrue, v1alpha1.ReasonOutsideSchedule))
	}
	await(t, 3*time.Minute+soon, "the window closes", rests)
	n.condition(soon, "agent", conditions.Ready, metav1.ConditionTrue, v1alpha1.ReasonOutsideSchedule)

	n.edit("night", func(tc *v1alpha1.TenantContainer) { tc.Spec.Schedule = nil })
	again := n.ready("night")
	if err := errors.Join(
		wantf(again.Status.Revision, night.Status.Revision, "revision after the schedule was changed and removed"),
		wantf(n.service("night").ID, service.ID, "service"), wantf(again.Status.Tasks, "2/2", "tasks"),
	); err != nil {
		t.Error(err)
	}
}
