//go:build e2e

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// healthy gives a container the check that its image has for it. A task counts only when it has passed once.
func healthy(tc *v1alpha1.TenantContainer) {
	tc.Spec.HealthCheck = &v1alpha1.HealthCheck{
		Exec:          &v1alpha1.ExecCheck{Command: []v1alpha1.CheckText{"/app", "-check"}},
		PeriodSeconds: new(int32(1)), TimeoutSeconds: new(int32(2)), FailureThreshold: new(int32(3)),
	}
}

func rollout(set func(*v1alpha1.Rollout)) change {
	return func(tc *v1alpha1.TenantContainer) {
		if tc.Spec.Rollout == nil {
			tc.Spec.Rollout = &v1alpha1.Rollout{}
		}
		set(tc.Spec.Rollout)
	}
}

func deadline(seconds int32) change {
	return rollout(func(r *v1alpha1.Rollout) { r.ProgressDeadlineSeconds = new(seconds) })
}

// TestGoodRolloutServesThroughout is the case that everything else is measured against.
func TestGoodRolloutServesThroughout(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	near := n.neighbour()
	n.run(app("web", "v1", replicas(2), healthy))

	p := near.probe("web")
	n.edit("web", version("v2"))
	n.ready("web")
	p.finish(n)

	if p.versions["v1"] == 0 || p.versions["v2"] == 0 {
		t.Errorf("versions that answered: got %v, want both", p.versions)
	}
	if body, err := near.ask("web", "/"); err != nil || !strings.Contains(body, "version=v2") {
		t.Errorf("after the rollout: got %q, error %v, want v2", body, err)
	}
	n.event("web", "RolloutComplete", "Revision 2")
}

// memoryOfMachine is what a node here has, in bytes.
func memoryOfMachine() int64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}

	return int64(info.Totalram) * int64(info.Unit) //nolint:gosec // no machine has that much
}

// TestBadRollouts breaks the rollout of a serving container in all ways there are.
func TestBadRollouts(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		reason string
		change change
		// cause is the reason that the tenant is told, and words are part of the message: the engine's own where it
		// is the engine that knows.
		cause, words string
		// known is true once the engine's tasks tell the cause; nil when Dogker finds out before it touches a task.
		known func(swarm.Task) bool
		// deadline of the rollout in seconds; not set, it is long enough for Swarm to find out first.
		deadline int32
		// updates is how often Dogker writes to the service.
		updates int
	}{
		"ImageMissing": {
			reason: "No engine holds the image, so no task is touched at all.",
			change: version("missing"),
			cause:  v1alpha1.ReasonImageUnavailable, words: "dogker.test/app:missing",
		},
		"Unplaceable": {
			reason: "No node has the label, so no task is touched at all.",
			change: func(tc *v1alpha1.TenantContainer) {
				tc.Spec.Placement = &v1alpha1.Placement{Constraints: []string{"node.labels.nowhere == true"}}
			},
			cause: v1alpha1.ReasonUnschedulable, words: "no suitable node (scheduling constraints not satisfied",
		},
		"TooLarge": {
			reason: "Every engine would refuse the tasks, again and again, so no task is touched at all.",
			change: func(tc *v1alpha1.TenantContainer) {
				tc.Spec.Resources = &v1alpha1.Resources{
					Requests: &v1alpha1.ResourceRequests{CPU: new(resource.MustParse("10m"))},
					Limits:   &v1alpha1.ResourceLimits{CPU: new(resource.MustParse("900"))},
				}
			},
			cause: v1alpha1.ReasonUnschedulable, words: "spec.resources.limits.cpu: 900 is more than any eligible node has; the largest has ",
		},
		"CrashLoop": {
			reason: "The new tasks end before they have passed a check; Swarm rolls back.",
			change: func(tc *v1alpha1.TenantContainer) { env("APP_CRASH_AFTER", "0s")(tc); env("APP_EXIT_CODE", "3")(tc) },
			cause:  v1alpha1.ReasonTaskFailed, words: "non-zero exit (3)",
			known:   func(task swarm.Task) bool { return task.Status.State == swarm.TaskStateFailed },
			updates: 1, // There; the way back is Swarm's own.
		},
		"Unhealthy": {
			reason: "The new tasks run and never pass a check; Swarm rolls back.",
			change: env("APP_UNHEALTHY", "true"),
			cause:  v1alpha1.ReasonUnhealthy, words: "unhealthy container",
			// An app that obeys the engine's signal is said to have completed, and one that is too slow to have failed.
			known: func(task swarm.Task) bool {
				return task.Status.State == swarm.TaskStateComplete || task.Status.State == swarm.TaskStateFailed
			},
			updates: 1, // There; the way back is Swarm's own.
		},
		"NoRoom": {
			reason: "A node is large enough and has no room: only Swarm can know, and it waits for ever. The deadline is ours.",
			change: func(tc *v1alpha1.TenantContainer) {
				all := resource.NewQuantity(memoryOfMachine(), resource.BinarySI)
				tc.Spec.Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{Memory: all}}
			},
			cause: v1alpha1.ReasonUnschedulable, words: "no suitable node (insufficient resources",
			known:   func(task swarm.Task) bool { return strings.Contains(task.Status.Err, "no suitable node") },
			updates: 2, deadline: 8, // There, and back at the deadline.
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sharedCell(t).tenant(t)
			near := n.neighbour()
			n.run(app("web", "v1", replicas(2), healthy, deadline(cmp.Or(test.deadline, 300)), func(tc *v1alpha1.TenantContainer) {
				// What is set aside for the old tasks leaves no node that is empty.
				tc.Spec.Resources = &v1alpha1.Resources{Requests: &v1alpha1.ResourceRequests{Memory: new(resource.MustParse("8Mi"))}}
			}))
			before := n.settled("web")
			old := n.taskIDs("web")

			p := near.probe("web")
			n.edit("web", test.change)
			n.wantCause("web", test.cause, test.words, test.known)
			if test.known != nil {
				n.wantRolledBack("web", test.cause)
			}
			was := n.settled("web")
			stays(t, 30*time.Second, "the failed spec is left alone", func() error { return n.unmoved(was) })
			p.finish(n)

			if got := n.taskIDs("web"); fmt.Sprint(got) != fmt.Sprint(old) {
				t.Errorf("tasks that serve: got %v, want those from before %v: %s", got, old, test.reason)
			}
			if got := n.meter.updates(before.ID); got != test.updates {
				t.Errorf("our updates of the service: got %d, want %d", got, test.updates)
			}

			// The next spec is a new chance.
			n.edit("web", good)
			n.ready("web")
		})
	}
}

// good is a template without any of the faults.
func good(tc *v1alpha1.TenantContainer) {
	version("v2")(tc)
	tc.Spec.Env, tc.Spec.Placement, tc.Spec.Resources = nil, nil, nil
}

// wantCause waits for the condition to name the cause, within five seconds of the engine knowing it.
func (n *tenant) wantCause(name, reason, words string, known func(swarm.Task) bool) {
	n.t.Helper()

	if known != nil {
		await(n.t, atLast, "the engine knows the cause", func() error {
			tasks, err := n.tasks(name)
			if err != nil {
				return err
			}
			for _, task := range tasks {
				if known(task) {
					return nil
				}
			}

			return errors.New("no task tells it")
		})
	}

	took := await(n.t, instant, fmt.Sprintf("Ready of %q names %s", name, reason), func() error {
		tc, err := n.read(name)
		if err != nil {
			return err
		}
		// From the rollback on, that is the reason, and the message tells the cause.
		c := conditions.Get(tc, conditions.Ready)
		if !strings.Contains(c.Message, words) || (c.Reason != reason && !strings.Contains(c.Message, reason)) {
			return fmt.Errorf("it says %s: %s", c.Reason, c.Message)
		}

		return nil
	})
	n.t.Logf("the condition named the cause %v after the engine", took)
}

// wantRolledBack waits until the earlier revision is back and the status says what became of the declared one.
func (n *tenant) wantRolledBack(name, cause string) {
	n.t.Helper()

	tc := n.unready(atLast, name, v1alpha1.ReasonRolledBack)
	if err := says(tc, v1alpha1.ConditionRolledBack, metav1.ConditionTrue, v1alpha1.ReasonRolledBack); err != nil {
		n.t.Error(err)
	}
	if f := tc.Status.FailedRevision; f == nil || f.Revision != 2 || f.Reason != cause {
		n.t.Errorf("status.failedRevision: got %+v, want revision 2 and reason %s", f, cause)
	}
	if tc.Status.Revision != 1 {
		n.t.Errorf("status.revision: got %d, want 1", tc.Status.Revision)
	}
	if got := n.revisions(name)[2].Status.Outcome; got != v1alpha1.OutcomeFailed {
		n.t.Errorf("outcome of revision 2: got %q, want %q", got, v1alpha1.OutcomeFailed)
	}
	n.event(name, "RolloutFailed", "Revision 2")
}

// TestPausedRolloutWaits is failureAction Pause: the rollout stops where it is.
func TestPausedRolloutWaits(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.run(app("web", "v1", replicas(2), healthy, rollout(func(r *v1alpha1.Rollout) { r.FailureAction = v1alpha1.FailurePause })))

	n.edit("web", env("APP_UNHEALTHY", "true"))
	n.unready(atLast, "web", v1alpha1.ReasonRolloutPaused)
	n.wantCause("web", v1alpha1.ReasonRolloutPaused, "unhealthy container", nil)
	was := n.settled("web")
	stays(t, 10*time.Second, "paused", func() error {
		return wantf(n.service("web").Spec.Labels[v1alpha1.SwarmLabelRevision], was.Spec.Labels[v1alpha1.SwarmLabelRevision], "revision")
	})

	n.edit("web", good)
	n.ready("web")
}

// TestFirstRolloutFails has nothing to go back to: the reason is told, and Swarm goes on trying.
func TestFirstRolloutFails(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	n.create(app("web", "v1", env("APP_CRASH_AFTER", "100ms"), func(tc *v1alpha1.TenantContainer) {
		tc.Spec.RestartPolicy = &v1alpha1.RestartPolicy{DelaySeconds: new(int32(1))}
	}))

	n.unready(soon, "web", v1alpha1.ReasonCrashLoop)
	// A task that runs for a moment between two crashes must not look ready.
	stays(t, 10*time.Second, "a crash loop is never ready", func() error {
		tc := n.get("web")
		if conditions.IsTrue(tc, conditions.Ready) {
			return fmt.Errorf("status: %+v", tc.Status)
		}

		return nil
	})

	n.edit("web", good)
	n.ready("web")
}
