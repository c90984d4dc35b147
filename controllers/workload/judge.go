package workload

import (
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const defaultProgressDeadline = 600 * time.Second

// verdict is what became of the newest revision, when that is not on record yet.
type verdict struct {
	outcome v1alpha1.RevisionOutcome
	cause   cause
}

// judge compares the record of the newest revision with what Swarm made of it. It is false when the record stands.
//
// Swarm tells the outcome of a rollout in UpdateStatus, but only while nobody writes to the service: every write clears
// it. So the record is ours. Swarm's word is taken where it has one, and the tasks' where it has none.
//
//	(not recorded) ──recorded──► "" ──sent to Swarm──► Progressing ──► Complete
//	       └─────────recorded, no rollback in sight────────► │
//	                                                         └───────► Failed
func judge(tc *v1alpha1.TenantContainer, s scale, w swarmobj.World, h history, now time.Time) (verdict, bool) {
	latest := h.latest()
	if latest == nil || w.Service == nil || w.Uncertain || s.none() {
		return verdict{}, false
	}

	if liveRevision(w.Service) != latest.Spec.Revision {
		return judgeReplaced(w, latest)
	}

	running := tally(tc, s, w)
	if running.complete() && !updating(w.Service) && believable(tc, w, now) {
		return verdict{outcome: v1alpha1.OutcomeComplete}, latest.Status.Outcome != v1alpha1.OutcomeComplete
	}

	// A revision that has once run stays complete: what happens to it later is no failed rollout.
	if latest.Status.Outcome == v1alpha1.OutcomeComplete || latest.Status.Outcome == v1alpha1.OutcomeFailed {
		return verdict{}, false
	}

	if latest.Status.Outcome == "" {
		return verdict{outcome: v1alpha1.OutcomeProgressing}, true
	}

	// The tasks say why it failed; tasks from before the failure do not know it yet.
	if !w.TasksFresh {
		return verdict{}, false
	}

	// A write in the middle of a rollout, such as a scaling, makes Swarm roll back to the same revision.
	if updateState(w.Service) == swarm.UpdateStatePaused || rolledBackBySwarm(w.Service) {
		return verdict{v1alpha1.OutcomeFailed, failureOf(w, v1alpha1.ReasonRolloutPaused)}, true
	}

	if now.Before(deadline(tc, w, latest)) {
		return verdict{}, false
	}

	return verdict{v1alpha1.OutcomeFailed, failureOf(w, v1alpha1.ReasonProgressDeadlineExceeded)}, true
}

// believable is false while a running task follows failures of its own template and has not run for long. Without a word
// of Swarm, as after a write in the middle of a rollout, a crash loop would otherwise be complete at some moment.
func believable(tc *v1alpha1.TenantContainer, w swarmobj.World, now time.Time) bool {
	return !slices.ContainsFunc(bySlot(w.Tasks), func(slot []swarmobj.Task) bool {
		ok, _ := settled(slot, now, settleWindow(tc))

		return slot[0].Running() && !ok
	})
}

// unexplained is true after Swarm has rolled the newest revision back by itself, until its tasks have been listed and can
// say why. The revision is as good as failed: nothing may be sent meanwhile, because that would be the next try.
func unexplained(s scale, w swarmobj.World, h history) bool {
	latest := h.latest()
	if latest == nil || w.Service == nil || w.Uncertain || w.TasksFresh || s.none() {
		return false
	}

	return latest.Status.Outcome == v1alpha1.OutcomeProgressing && liveRevision(w.Service) != latest.Spec.Revision && rolledBackBySwarm(w.Service)
}

// judgeReplaced judges a revision that Swarm was told to run and that it does not run: it rolled back by itself. A
// revision that was never sent says nothing.
func judgeReplaced(w swarmobj.World, latest *v1alpha1.ContainerRevision) (verdict, bool) {
	if latest.Status.Outcome != v1alpha1.OutcomeProgressing || !rolledBackBySwarm(w.Service) || !w.TasksFresh {
		return verdict{}, false
	}

	return verdict{v1alpha1.OutcomeFailed, failureOf(w, v1alpha1.ReasonTaskFailed)}, true
}

// failureOf explains a failed rollout by its tasks: those of the failed template, which are no longer current when
// Swarm has rolled back already. Without a telling task the fallback stands.
func failureOf(w swarmobj.World, fallback string) cause {
	if c, ok := causeOf(badOnes(w)); ok && c.reason != v1alpha1.ReasonStarting {
		return c
	}

	if c, ok := causeOf(endedOnes(w)); ok && fallback != v1alpha1.ReasonProgressDeadlineExceeded {
		return c
	}

	message := "The rollout failed"
	if fallback == v1alpha1.ReasonProgressDeadlineExceeded {
		message = "The rollout did not finish within its progress deadline"
		if c, ok := causeOf(w.Tasks); ok {
			message += ": " + c.message
		}
	}

	return cause{fallback, message}
}

// badOnes are the tasks that can tell why a rollout failed. A healthy task of the old template would only hide them.
func badOnes(w swarmobj.World) []swarmobj.Task {
	var bad []swarmobj.Task

	for _, t := range w.Tasks {
		if failed(t) || t.OOMKilled || (t.Err != "" && !t.Running()) {
			bad = append(bad, t)
		}
	}

	return bad
}

// endedOnes are the tasks that ended well although they were meant to go on: Swarm counts that as a failure too. A health
// check that fails while a task starts looks like this on nodes whose engine Dogker cannot ask.
func endedOnes(w swarmobj.World) []swarmobj.Task {
	return slices.DeleteFunc(slices.Clone(w.Tasks), func(t swarmobj.Task) bool { return t.State != swarm.TaskStateComplete })
}

// deadline is when the rollout of the newest revision counts as failed. It counts from the last thing that happened to
// the service, so that a large rollout that goes on is left to go on.
func deadline(tc *v1alpha1.TenantContainer, w swarmobj.World, latest *v1alpha1.ContainerRevision) time.Time {
	limit := defaultProgressDeadline
	if r := tc.Spec.Rollout; r != nil && r.ProgressDeadlineSeconds != nil {
		limit = time.Duration(*r.ProgressDeadlineSeconds) * time.Second
	}

	start := latest.CreationTimestamp.Time
	if w.Service.UpdatedAt.After(start) {
		start = w.Service.UpdatedAt
	}

	for _, t := range w.Tasks {
		if t.Running() && t.Current && t.Since.After(start) {
			start = t.Since
		}
	}

	return start.Add(limit)
}

func updateState(s *swarm.Service) swarm.UpdateState {
	if s == nil || s.UpdateStatus == nil {
		return ""
	}

	return s.UpdateStatus.State
}

// updating is true while Swarm replaces tasks, forwards or backwards.
func updating(s *swarm.Service) bool {
	state := updateState(s)

	return state == swarm.UpdateStateUpdating || state == swarm.UpdateStateRollbackStarted
}

func rolledBackBySwarm(s *swarm.Service) bool {
	return strings.HasPrefix(string(updateState(s)), "rollback_")
}
