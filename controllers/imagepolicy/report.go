package imagepolicy

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Reasons of events.
const (
	// eventLatest says that another image is the latest.
	eventLatest = "LatestImageChanged"
	// eventUpdated comes with what a look has changed.
	eventUpdated = "ImageUpdated"
)

// maxEvent is how long the text of an event may be: the API takes a little more.
const maxEvent = 1000

// report says how the last look ended: every pass does, so that it is in the status whatever becomes of the pass that has learned
// of it. Before there was one in this process, what the status says of the same spec stands.
func (c *Controller) report(p *gitopsv1.ImagePolicy, s *state, now time.Time) (outcome.Result, error) {
	if s.ended == nil || s.ended.asked.generation != p.Generation {
		if ready := conditions.Get(p, conditions.Ready); ready != nil && ready.ObservedGeneration == p.Generation {
			return outcome.Result{RequeueAfter: fallback}, nil
		}

		return outcome.Result{}, &outcome.Wait{
			Reason: gitopsv1.ReasonProgressing, Message: "Looking for the latest image", After: fallback, Ready: metav1.ConditionUnknown,
		}
	}

	c.fill(&p.Status, s.ended)

	after := fallback
	if !c.jobs.Running(keyOf(p)) {
		after = max(s.next.Sub(now), time.Second)
	}

	f := s.ended.failed

	switch {
	case f == nil:
		message := "Latest is " + s.ended.latest.Repository + ":" + s.ended.latest.Tag
		if s.ended.where != "" {
			message += "; " + s.ended.where
		}

		conditions.MarkReady(p, gitopsv1.ReasonReconciliationSucceeded, message)

		return outcome.Result{RequeueAfter: after}, nil
	case f.lasting:
		return outcome.Result{RequeueAfter: after}, &outcome.Stall{Reason: f.reason, Message: f.message}
	case f.unknown:
		return outcome.Result{}, &outcome.Wait{Reason: f.reason, Message: f.message, After: after, Ready: metav1.ConditionUnknown}
	default:
		return outcome.Result{}, &outcome.Wait{Reason: f.reason, Message: f.message, After: after}
	}
}

// fill puts what a look has found into a status. What it has not found stays as it was.
func (c *Controller) fill(s *gitopsv1.ImagePolicyStatus, e *ending) {
	s.LastHandledReconcileAt = e.asked.requested

	if e.failed == nil || e.tags > 0 {
		s.Tags = e.tags
	}

	if e.latest != nil && s.LatestImage != e.latest.String() {
		s.PreviousImage, s.LatestImage = s.LatestImage, e.latest.String()
	}

	if e.latest != nil {
		s.LatestTag = e.latest.Tag
	}

	if e.commit != "" && s.LastPushCommit != e.commit {
		s.LastPushCommit, s.LastPushTime = e.commit, &metav1.Time{Time: metav1.NewTime(e.pushed).Rfc3339Copy().Time}
	}
}

// announce tells what a look has changed, once.
func (c *Controller) announce(p *gitopsv1.ImagePolicy, e *ending) {
	if before := p.Status.LatestImage; e.latest != nil && before != "" && before != e.latest.String() {
		c.opts.Recorder.Event(p, corev1.EventTypeNormal, eventLatest, "Latest image is "+e.latest.String()+", was "+before)
	}

	if len(e.updates) > 0 {
		text := strings.Join(e.updates, "; ")
		if runes := []rune(text); len(runes) > maxEvent {
			text = string(runes[:maxEvent-1]) + "…"
		}

		c.opts.Recorder.Event(p, corev1.EventTypeNormal, eventUpdated, text)
	}
}
