package workload

import (
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// maxNodes is how many nodes status names.
const maxNodes = 16

// lookAgain is when a pass that waits for tasks looks again. Changes of tasks are told by the cache; this is what keeps
// the cache looking closely.
const lookAgain = 2 * time.Second

// report writes what was found into the status and says when to look again. trouble is why the declared template does
// not run, if it does not.
func report(s *situation, trouble error) (outcome.Result, error) {
	c := tally(s.tc, s.scale, s.world)
	reportFacts(s, c)
	reportConditions(s)

	// What runs instead of what is declared keeps to the schedule, too.
	change := s.timetable.left(s.now)

	if trouble != nil {
		return outcome.Result{RequeueAfter: change}, trouble
	}

	ready := readiness(s, c)
	ready.set(s.tc)

	return outcome.Result{RequeueAfter: sooner(sooner(ready.again, s.calmAfter), change)}, nil
}

// sooner is the shorter of two durations of which zero is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}

	return min(a, b)
}

func reportFacts(s *situation, c count) {
	st := &s.tc.Status
	st.Replicas, st.ReadyReplicas, st.UpdatedReplicas = c.exist, c.ready, c.updated
	st.Tasks = c.String()
	st.Selector = v1alpha1.LabelContainer + "=" + s.tc.Name
	st.Nodes = nodeNames(s.world, maxNodes)
	st.FailedRevision = nil

	if f := s.target.failed; f != nil {
		st.FailedRevision = &v1alpha1.FailedRevision{Revision: f.Spec.Revision, Reason: f.Status.Reason, Message: f.Status.Message}
	}

	live := s.world.Service
	if live == nil {
		st.Service, st.Revision, st.Image = nil, 0, nil

		return
	}

	st.Service = &v1alpha1.ServiceStatus{ID: live.ID, Name: live.Spec.Name}
	st.Revision = liveRevision(live)

	if container := live.Spec.TaskTemplate.ContainerSpec; container != nil {
		st.Image = &v1alpha1.ImageStatus{
			Requested: live.Spec.Labels[v1alpha1.SwarmLabelImage],
			Resolved:  container.Image,
			Pinned:    pinned(container.Image),
			Proof:     s.proofOf(container.Image),
		}
	}
}

// reportConditions sets the conditions beside the summary. Each is absent when it has nothing to say.
func reportConditions(s *situation) {
	tc := s.tc

	show(tc, s.scale.suspended, v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonSuspended, suspendedText(s.scale))
	show(tc, s.target.paused, v1alpha1.ConditionPaused, metav1.ConditionTrue, v1alpha1.ReasonPaused,
		"spec.paused holds a change of the template back")

	failed := ""
	if s.target.failed != nil {
		failed = rolledBackText(s)
	}

	show(tc, failed != "", v1alpha1.ConditionRolledBack, metav1.ConditionTrue, v1alpha1.ReasonRolledBack, failed)

	unpinned := tc.Status.Image != nil && !tc.Status.Image.Pinned
	reason, message := v1alpha1.ReasonRegistryUnavailable, "The registry did not answer, so an image that the engine holds is used"

	if tc.Spec.ImagePullPolicy == v1alpha1.PullNever {
		reason, message = v1alpha1.ReasonPullNever, "imagePullPolicy Never asks no registry, so an image that the engine holds is used"
	}

	show(tc, unpinned, v1alpha1.ConditionImagePinned, metav1.ConditionFalse, reason, message)
	show(tc, s.contested, v1alpha1.ConditionContested, metav1.ConditionTrue, v1alpha1.ReasonContested, contestText)
	show(tc, replacing(s), v1alpha1.ConditionRecreating, metav1.ConditionTrue, v1alpha1.ReasonRecreating,
		"The service is being replaced, because Swarm cannot make the change in place")
}

// replacing is true from when a service was taken away until the one in its place is complete.
func replacing(s *situation) bool {
	if s.recreating {
		return true
	}

	return conditions.IsTrue(s.tc, v1alpha1.ConditionRecreating) && !tally(s.tc, s.scale, s.world).complete()
}

func show(tc *v1alpha1.TenantContainer, when bool, conditionType string, status metav1.ConditionStatus, reason, message string) {
	if !when {
		conditions.Delete(tc, conditionType)

		return
	}

	conditions.Set(tc, conditionType, status, reason, message)
}

func suspendedText(s scale) string {
	if s.reason == "" {
		return "Held at zero replicas"
	}

	return "Held at zero replicas: " + s.reason
}

func rolledBackText(s *situation) string {
	return fmt.Sprintf("%s, so revision %d runs; the failed template is not tried again until it changes",
		failedText(s.target.failed), s.target.number)
}

func failedText(f *v1alpha1.ContainerRevision) string {
	return fmt.Sprintf("Revision %d failed (%s: %s)", f.Spec.Revision, f.Status.Reason, f.Status.Message)
}

// summary is the condition Ready and what goes with it.
type summary struct {
	ready           bool
	reason, message string
	// working is true while Dogker or Swarm is doing something about it; stalled when somebody else has to.
	working, stalled bool
	again            time.Duration
}

func (r summary) set(tc *v1alpha1.TenantContainer) {
	switch {
	case r.ready:
		conditions.MarkReady(tc, r.reason, r.message)
	case r.stalled:
		conditions.MarkStalled(tc, metav1.ConditionFalse, r.reason, r.message)
	case r.working:
		conditions.MarkWaiting(tc, metav1.ConditionFalse, r.reason, r.message)
	default:
		conditions.Set(tc, conditions.Ready, metav1.ConditionFalse, r.reason, r.message)
		conditions.Delete(tc, conditions.Reconciling)
		conditions.Delete(tc, conditions.Stalled)
	}
}

// readiness says in one word and one sentence how the container stands. The order is the specification: the first that
// applies is what the tenant is told.
func readiness(s *situation, c count) summary {
	for _, look := range []func(*situation, count) (summary, bool){
		beingMade, heldBack, beingStopped, awaitingNode, swarmPaused, rollingOut, incomplete, unsettled, atRest,
	} {
		if r, ok := look(s, c); ok {
			return r
		}
	}

	return summary{ready: true, reason: v1alpha1.ReasonRunning, message: fmt.Sprintf("Revision %d runs", s.target.number)}
}

// beingMade: Swarm has no service yet, or has not confirmed what was written.
func beingMade(s *situation, _ count) (summary, bool) {
	if s.world.Service != nil && !s.world.Uncertain && s.want != nil {
		return summary{}, false
	}

	reason, message := v1alpha1.ReasonProgressing, "Tasks are being started"
	if replacing(s) {
		reason, message = v1alpha1.ReasonRecreating, "The service is being replaced, because Swarm cannot make the change in place"
	}

	return summary{reason: reason, message: message, working: true, again: lookAgain}, true
}

// beingStopped: nothing is meant to run, and something still does; or nothing does, because it is suspended.
func beingStopped(s *situation, c count) (summary, bool) {
	if c.want > 0 {
		return summary{}, false
	}

	switch {
	case c.exist > 0 || c.ready > 0:
		return summary{reason: v1alpha1.ReasonProgressing, message: "Tasks are being stopped", working: true, again: lookAgain}, true
	case s.scale.suspended:
		return summary{reason: v1alpha1.ReasonSuspended, message: suspendedText(s.scale)}, true
	default:
		return summary{}, false
	}
}

// swarmPaused: a rollout stopped after a failure and waits for a new spec.
func swarmPaused(s *situation, _ count) (summary, bool) {
	state := updateState(s.world.Service)
	if state != swarm.UpdateStatePaused && state != swarm.UpdateStateRollbackPaused {
		return summary{}, false
	}

	message := "The rollout stopped after a failure and waits for a change of the spec"
	if c, ok := causeOf(badOnes(s.world)); ok {
		message += ": " + c.message
	}

	return summary{reason: v1alpha1.ReasonRolloutPaused, message: message, stalled: true}, true
}

// rollingOut: Swarm is replacing tasks.
func rollingOut(s *situation, c count) (summary, bool) {
	if !updating(s.world.Service) {
		return summary{}, false
	}

	if f := s.target.failed; f != nil {
		return summary{
			reason: v1alpha1.ReasonRollingBack, working: true, again: lookAgain,
			message: fmt.Sprintf("%s; tasks of revision %d are being put back", failedText(f), s.target.number),
		}, true
	}

	r := summary{
		reason: v1alpha1.ReasonProgressing, working: true, again: lookAgain,
		message: fmt.Sprintf("Tasks of revision %d are being started", s.target.number),
	}
	if updateState(s.world.Service) == swarm.UpdateStateRollbackStarted {
		r.reason, r.message = v1alpha1.ReasonRollingBack, fmt.Sprintf("Tasks of revision %d are being put back", s.target.number)
	}
	if bad, ok := causeOf(badOnes(s.world)); ok && !c.complete() {
		r.reason, r.message = bad.reason, r.message+": "+bad.message
	}

	return r, true
}

// incomplete: fewer tasks run than are wanted.
func incomplete(s *situation, c count) (summary, bool) {
	if c.complete() {
		return summary{}, false
	}

	r := summary{reason: v1alpha1.ReasonProgressing, message: "Tasks are being started", working: true, again: lookAgain}

	// A revision that was given up and has nothing to go back to keeps its verdict, unless the tasks know better.
	if rec := s.target.record; rec != nil && rec.Status.Outcome == v1alpha1.OutcomeFailed {
		r.reason, r.message = rec.Status.Reason, rec.Status.Message
	}
	if bad, ok := causeOf(s.world.Tasks); ok {
		r.reason, r.message = bad.reason, bad.message
	} else if why := nowhere(s); why != "" {
		r.reason, r.message = v1alpha1.ReasonUnschedulable, "no suitable node ("+why+")"
	}

	return r, true
}

// nowhere says why a global container has no node at all; nothing when it has one. For such a container Swarm makes no
// tasks, so that nobody else would say it.
func nowhere(s *situation) string {
	if s.tc.Spec.Mode != v1alpha1.ModeGlobal || s.world.Service == nil {
		return ""
	}

	_, why := eligible(s.world.Service.Spec.TaskTemplate.Placement, s.world.Nodes)

	return why
}

// unsettled: everything runs, but something has only just been started again after failures.
func unsettled(s *situation, _ count) (summary, bool) {
	for _, slot := range bySlot(s.world.Tasks) {
		if !slot[0].Running() {
			continue
		}

		ok, wait := settled(slot, s.now, settleWindow(s.tc))
		if ok {
			continue
		}

		bad, known := causeOfSlot(slot)
		if !known {
			continue
		}

		return summary{reason: bad.reason, message: bad.message, working: true, again: wait}, true
	}

	return summary{}, false
}

// settleWindow is how long a task that follows failures must run to be believed.
func settleWindow(tc *v1alpha1.TenantContainer) time.Duration {
	window := 10 * time.Second
	if r := tc.Spec.Rollout; r != nil && r.MonitorSeconds != nil {
		window = max(window, time.Duration(*r.MonitorSeconds)*time.Second)
	}

	return window
}

// atRest: what is wanted runs, and it is not the declared template, or it is nothing.
func atRest(s *situation, c count) (summary, bool) {
	switch {
	case s.target.failed != nil:
		return summary{reason: v1alpha1.ReasonRolledBack, message: rolledBackText(s), stalled: true}, true
	case s.target.paused:
		return summary{reason: v1alpha1.ReasonPaused, message: "spec.paused holds a change of the template back"}, true
	case s.scale.resting:
		return summary{ready: true, reason: v1alpha1.ReasonOutsideSchedule, message: restingText(s.scale, s.timetable.zone)}, true
	case c.want == 0:
		return summary{ready: true, reason: v1alpha1.ReasonScaledToZero, message: "No tasks are wanted and none runs"}, true
	default:
		return summary{}, false
	}
}

// converging is true while somebody waits for the tasks of the service to change.
func converging(s *situation) (string, bool) {
	if s.world.Service == nil {
		return "", false
	}

	c := tally(s.tc, s.scale, s.world)
	busy := s.world.Uncertain || updating(s.world.Service) || undecided(s) || !c.complete() || s.scale.held != nil && c.exist+c.ready > 0

	return s.world.Service.ID, busy
}
