package gitsync

import (
	"context"
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// visit is what is being done with a build, over as many passes as it takes.
type visit struct {
	built *built
	asked question
	began time.Time

	// plan is what is being carried out, and planned when it was made; it has been when applied is true.
	plan    Plan
	planned time.Time
	applied bool
	// deadline is until when it is waited for what was applied to be healthy.
	deadline time.Time
	changes  delivery.Changes
}

const (
	// freshness is how old a plan may be that is carried out. What has changed since is seen then as well; it only takes longer.
	freshness = time.Minute
	// healthPoll is how often it is looked at whether what was applied is healthy.
	healthPoll = time.Second
	// turnPoll is when to look again whether it is a sync's turn, should the wake-up be missed.
	turnPoll = 5 * time.Second
	// atOnce is for a pass that goes on where this one ends, as soon as its status is stored.
	atOnce = time.Millisecond
)

// arrive begins the visit of a build.
func (p *pass) arrive(b *built) {
	p.visit = &visit{built: b, asked: p.asked, began: p.asked.began}

	if b.Revision != p.sync.Status.LastAttemptedRevision {
		p.tell(p.asked.terms, b.Commit.Hash, lifecycle.CommitPending, "Applying")
	}
}

// deliver moves the visit on, when it is the sync's turn.
func (p *pass) deliver(ctx context.Context) (outcome.Result, error) {
	if !p.turns.enter(p.key) {
		return p.between(turnPoll)
	}

	defer p.passOn()

	v := p.visit
	if v.plan == nil || !v.applied && p.now.Sub(v.planned) > freshness {
		if done, err := p.plan(ctx, v); done || err != nil {
			return p.conclude(err)
		}
	}

	if !v.applied {
		if !covers(p.sync.Status.Inventory, v.plan.Record()) {
			return p.record(v)
		}

		if done, err := p.apply(ctx, v); done || err != nil {
			return p.conclude(err)
		}
	}

	if p.sync.Spec.Wait {
		if after, err := p.watch(ctx, v); after > 0 || err != nil {
			return p.await(v, after, err)
		}
	}

	return p.conclude(p.prune(ctx, v))
}

// conclude ends a pass in which the visit has ended, or something unexpected has happened to it.
func (p *pass) conclude(err error) (outcome.Result, error) {
	if err != nil {
		if v := p.visit; v != nil {
			// It is begun anew, with what there is then.
			v.plan, v.applied = nil, false
		}

		return outcome.Result{}, err
	}

	return p.rest()
}

// plan looks at what there is. done is true when the visit has failed.
func (p *pass) plan(ctx context.Context, v *visit) (done bool, err error) {
	recorded := entries(p.sync.Status.Inventory)
	if _, err := inventory.Read(recorded); err != nil {
		p.fail(failure{reason: gitopsv1.ReasonInventoryInvalid, message: "status.inventory: " + err.Error(), revision: v.built.Revision, visit: v})

		return true, nil
	}

	plan, err := p.applier.Plan(ctx, p.request(v, recorded))
	if err != nil {
		return p.refused(v, err, gitopsv1.ReasonReconciliationFailed)
	}

	v.plan, v.planned = plan, p.now

	return false, nil
}

func (p *pass) request(v *visit, recorded []inventory.Entry) delivery.Request {
	s := &p.sync.Spec
	r := delivery.Request{
		Sync: p.key, ServiceAccount: accountOf(p.sync), Objects: v.built.Objects, Recorded: recorded,
		Prune: s.Prune, AllowEmpty: s.PruneEmpty, Force: s.Force, AnyNamespace: p.ofPlatform(),
	}

	for _, rule := range s.IgnoreFields {
		r.Ignore = append(r.Ignore, delivery.IgnoreRule{Kind: rule.Kind, Name: rule.Name, Paths: rule.Paths})
	}

	return r
}

// record puts on record what is about to be applied. The next pass, which finds it stored, applies it.
func (p *pass) record(v *visit) (outcome.Result, error) {
	p.sync.Status.Inventory = inventoryOf(v.plan.Record())
	// What was shown before had less on record.
	p.ended = nil

	return p.progress(v, "Applying "+v.built.Revision, atOnce)
}

// apply creates and changes what the plan says. done is true when the visit has failed.
func (p *pass) apply(ctx context.Context, v *visit) (done bool, err error) {
	if n := len(v.plan.Changes().Written()); n > 0 {
		slogctx.From(ctx).InfoContext(ctx, "Applying GitSync", logkey.Revision, v.built.Revision, logkey.Count, n)
	}

	changes, err := v.plan.Apply(ctx)
	v.changes = append(v.changes, changes.Written()...)

	if err != nil {
		return p.refused(v, err, gitopsv1.ReasonReconciliationFailed)
	}

	v.applied, v.deadline = true, p.opts.Now().Add(p.timeout())

	return false, nil
}

func (p *pass) timeout() time.Duration {
	if t := p.sync.Spec.Timeout.Duration; t > 0 {
		return t
	}

	return 3 * time.Minute
}

// watch looks whether everything is healthy: after is when to look again, 0 when there is nothing to wait for any more. A
// visit that has failed is over then.
func (p *pass) watch(ctx context.Context, v *visit) (after time.Duration, err error) {
	unhealthy, final, err := v.plan.Health(ctx)

	switch {
	case err != nil:
		return 0, err
	case len(unhealthy) == 0:
		return 0, nil
	case !final && p.opts.Now().Before(v.deadline):
		return healthPoll, nil
	}

	f := failure{
		reason: gitopsv1.ReasonHealthCheckFailed, message: unhealthy.Error(), transient: true, revision: v.built.Revision,
		visit: v, unhealthy: true, cause: unhealthy,
	}
	p.fail(f)

	return 0, nil
}

// await ends a pass that has looked at health. What nobody has touched keeps saying what it said before.
func (p *pass) await(v *visit, after time.Duration, err error) (outcome.Result, error) {
	switch {
	case err != nil:
		return p.conclude(err)
	case len(v.changes) == 0 && p.sync.Status.LastAppliedRevision == v.built.Revision:
		return p.between(after)
	default:
		return p.progress(v, "Waiting until what was applied of "+v.built.Revision+" is ready", after)
	}
}

// prune deletes what is not built any more, and ends the visit.
func (p *pass) prune(ctx context.Context, v *visit) error {
	if p.visit == nil {
		return nil
	}

	changes, left, err := v.plan.Prune(ctx)
	v.changes = append(v.changes, changes.Written()...)

	if err != nil {
		p.sync.Status.Inventory = inventoryOf(left)

		_, err := p.refused(v, err, gitopsv1.ReasonPruneFailed)

		return err
	}

	p.succeed(v, left)

	return nil
}

// refused ends a visit about whose objects the API has something to say. Other errors are returned.
func (p *pass) refused(v *visit, err error, otherwise string) (done bool, _ error) {
	var wrong delivery.Errors
	if !errors.As(err, &wrong) || len(wrong) == 0 {
		return false, err
	}

	reason := string(wrong[0].Reason)

	for _, one := range wrong {
		if one.Reason != wrong[0].Reason || one.Reason == delivery.ReasonUnavailable || otherwise == gitopsv1.ReasonPruneFailed {
			reason = otherwise
		}
	}

	p.fail(failure{
		reason: reason, message: wrong.Error(), transient: wrong.Transient(), revision: v.built.Revision, visit: v, cause: wrong,
	})

	return true, nil
}

// progress ends a pass in the middle of a visit that changes something.
func (p *pass) progress(v *visit, message string, after time.Duration) (outcome.Result, error) {
	p.sync.Status.LastAttemptedRevision = v.built.Revision
	p.health(metav1.ConditionUnknown, gitopsv1.ReasonProgressing, message)

	return outcome.Result{}, &outcome.Wait{
		Reason: gitopsv1.ReasonProgressing, Message: message, After: after, Ready: metav1.ConditionUnknown,
	}
}

// passOn gives the turn to the next in line.
func (p *pass) passOn() {
	if next, waits := p.turns.leave(p.key); waits {
		p.hint(next)
	}
}
