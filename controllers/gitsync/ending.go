package gitsync

import (
	"cmp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/delivery"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/outcome"
)

// ending is how a visit ended. It is shown by every pass until there is another one, so that it is in the status whatever
// becomes of the pass that has found it out.
type ending struct {
	// generation of the spec that it is about.
	generation int64
	// status is all of it but the conditions.
	status gitopsv1.GitSyncStatus
	// reason and message of the condition Ready, and of Healthy, which has the status healthy.
	reason, message string
	healthy         metav1.ConditionStatus
	// failed is what went wrong; nil for nothing.
	failed *failure
}

// failure is why a visit did not do what it was to.
type failure struct {
	reason, message string
	// transient is true when trying again may help without a change.
	transient bool
	// unhealthy is true when what was applied is not ready.
	unhealthy bool
	// revision is the one that it is about; empty when that is not known.
	revision string
	// visit that has failed; nil when none had begun.
	visit *visit
	cause error
}

// handle notes what was asked for last.
func (e *ending) handle(q question) {
	if q.requested != "" {
		e.status.LastHandledReconcileAt = q.requested
	}

	e.status.WebhookPath = q.terms.webhookPath
}

// succeed ends a visit that has done everything.
func (p *pass) succeed(v *visit, left []inventory.Entry) {
	revision := v.built.Revision
	e := &ending{
		generation: p.sync.Generation, status: *p.sync.Status.DeepCopy(), healthy: metav1.ConditionTrue,
		reason: gitopsv1.ReasonReconciliationSucceeded, message: "Applied revision: " + revision,
	}

	if guard := v.plan.Guard(); guard != "" {
		e.message += "; " + guard + ": nothing is pruned unless spec.pruneEmpty says that it is meant"
	}

	e.status.LastAppliedRevision, e.status.LastAttemptedRevision = revision, revision
	e.status.Inventory = inventoryOf(left)
	p.failures = 0
	p.next = p.later(p.schedule().Next(p.opts.Roll()))
	p.finish(e, v, revision)
}

// fail ends a visit, or what was to become one.
func (p *pass) fail(f failure) {
	e := &ending{
		generation: p.sync.Generation, status: *p.sync.Status.DeepCopy(), reason: f.reason, message: f.message, failed: &f,
	}

	if f.unhealthy {
		e.healthy = metav1.ConditionFalse
	}

	if f.revision != "" {
		e.status.LastAttemptedRevision = f.revision
	}

	s := p.schedule()
	after := s.Next(p.opts.Roll())

	if !f.transient {
		p.failures = 0
	} else {
		p.failures++

		retry := s.Retry(p.failures, p.opts.Roll())
		if f.visit != nil {
			// A new commit may be what helps, and is not to wait because the last one did not work.
			retry = min(retry, after)
		}

		after = retry
	}

	p.next = p.later(after)
	p.metrics.failed(f.reason)
	p.finish(e, f.visit, f.revision)
}

// later is a time from now on; the pass may have taken a while.
func (p *pass) later(d time.Duration) time.Time { return p.opts.Now().Add(d) }

// finish is what all endings have in common.
func (p *pass) finish(e *ending, v *visit, revision string) {
	e.handle(p.asked)
	e.status.Objects = int32(len(entries(e.status.Inventory))) //nolint:gosec // there are a few thousand at most
	e.status.ObservedGeneration = p.sync.Generation

	took := p.opts.Now().Sub(p.asked.began)
	result := lifecycle.Result{
		Revision: revision, Reason: e.reason, Message: shorten(e.message, maxHistoryText),
		Time: p.opts.Now(), Duration: took.Round(time.Millisecond),
	}

	var changes delivery.Changes
	if v != nil {
		changes = v.changes
	}

	result.Created = changes.Count(delivery.Created)
	result.Configured = changes.Count(delivery.Configured) + changes.Count(delivery.Recreated)
	result.Deleted = changes.Count(delivery.Deleted)

	history, isNew := lifecycle.Remember(historyOf(e.status.History), result)
	if isNew {
		e.status.History = historyFrom(history)
	}

	p.tellEnd(e, revision)
	p.announce(e, changes)
	p.metrics.visited(e, changes, took)
	p.ended, p.visit = e, nil
}

// rest ends a pass that has nothing to do until something changes, or it is time.
func (p *pass) rest() (outcome.Result, error) {
	e := p.ended
	if e == nil || e.generation != p.sync.Generation || p.jobs.Running(p.key) && e.generation != p.asked.generation {
		return p.between(0)
	}

	kept := p.sync.Status.Conditions
	observed := p.sync.Status.ObservedGeneration
	p.sync.Status = *e.status.DeepCopy()
	p.sync.Status.Conditions, p.sync.Status.ObservedGeneration = kept, observed
	p.health(e.healthy, e.reason, e.message)

	f := e.failed

	switch after := p.after(); {
	case f == nil:
		conditions.MarkReady(p.sync, e.reason, e.message)

		return outcome.Result{RequeueAfter: after}, nil
	case f.transient:
		return outcome.Result{}, &outcome.Wait{Reason: f.reason, Message: f.message, Err: f, After: after}
	default:
		return outcome.Result{RequeueAfter: after}, &outcome.Stall{Reason: f.reason, Message: f.message, Err: f}
	}
}

// Error is what people are told.
func (f *failure) Error() string { return f.message }

// Unwrap is the cause.
func (f *failure) Unwrap() error { return f.cause }

// after is how long it is until there is something to do.
func (p *pass) after() time.Duration {
	if p.jobs.Running(p.key) {
		// The build starts the next pass. This is for a wake-up that is lost.
		return time.Minute
	}

	return max(atOnce, p.next.Sub(p.opts.Now()))
}

// between ends a pass in the middle of something that changes nothing about how the sync stands: it says what was said
// before, or that it is being looked at.
func (p *pass) between(after time.Duration) (outcome.Result, error) {
	after = cmp.Or(after, p.after())
	ready := conditions.Get(p.sync, conditions.Ready)

	switch {
	case ready == nil || p.sync.Status.ObservedGeneration != p.sync.Generation:
		return outcome.Result{}, &outcome.Wait{
			Reason: gitopsv1.ReasonProgressing, Message: "Looking at the repository", After: after, Ready: metav1.ConditionUnknown,
		}
	case conditions.IsTrue(p.sync, conditions.Stalled):
		return outcome.Result{RequeueAfter: after}, &outcome.Stall{Reason: ready.Reason, Message: ready.Message, Ready: ready.Status}
	case conditions.IsTrue(p.sync, conditions.Reconciling):
		return outcome.Result{}, &outcome.Wait{Reason: ready.Reason, Message: ready.Message, Ready: ready.Status, After: after}
	default:
		return outcome.Result{RequeueAfter: after}, nil
	}
}

// health says how what was applied is, where that is asked for.
func (p *pass) health(status metav1.ConditionStatus, reason, message string) {
	switch {
	case !p.sync.Spec.Wait:
		conditions.Delete(p.sync, gitopsv1.ConditionHealthy)
	case status == metav1.ConditionTrue:
		conditions.Set(p.sync, gitopsv1.ConditionHealthy, status, reason, "Everything that was applied is ready")
	case status != "":
		conditions.Set(p.sync, gitopsv1.ConditionHealthy, status, reason, message)
	}
}

// suspend ends a pass over a sync that rests. What was ready stays ready.
func (p *pass) suspend() (outcome.Result, error) {
	p.drop()

	status := metav1.ConditionUnknown
	if ready := conditions.Get(p.sync, conditions.Ready); ready != nil {
		status = ready.Status
	}

	message := "spec.suspend is set"
	if r := p.sync.Status.LastAppliedRevision; r != "" {
		message += "; applied revision: " + r
	}

	conditions.Delete(p.sync, conditions.Reconciling)
	conditions.Delete(p.sync, conditions.Stalled)
	conditions.Set(p.sync, conditions.Ready, status, gitopsv1.ReasonSuspended, message)

	return outcome.Result{}, nil
}
