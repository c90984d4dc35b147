package gitsync

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/outcome"
)

// finalize deals with what was applied as the deletion policy says, and lets the GitSync go.
func (p *pass) finalize(ctx context.Context) (outcome.Result, error) {
	p.drop()

	done := outcome.Result{Finalized: true}

	recorded := entries(p.sync.Status.Inventory)
	if !deletes(&p.sync.Spec) || len(recorded) == 0 {
		return done, nil
	}

	// What is in a namespace that goes away goes with it.
	if leaving, err := p.leaving(ctx, p.live); err != nil || leaving {
		return done, err
	}

	if _, err := inventory.Read(recorded); err != nil {
		return outcome.Result{}, &outcome.Stall{Reason: gitopsv1.ReasonInventoryInvalid, Message: "status.inventory: " + err.Error() + mendDeletion, Err: err}
	}

	// Nobody can act as an account that is no more. What it had applied is left, and that is said.
	gone, err := p.accountGone(ctx)
	if err != nil {
		return outcome.Result{}, err
	}

	if gone {
		p.opts.Recorder.Event(p.sync, corev1.EventTypeWarning, eventOrphaned,
			fmt.Sprintf("The ServiceAccount %q does not exist any more: what was applied stays", accountOf(p.sync)))

		return done, nil
	}

	return p.takeDown(ctx, recorded)
}

// deletes is whether what was applied goes with the GitSync.
func deletes(s *gitopsv1.GitSyncSpec) bool {
	switch s.DeletionPolicy {
	case gitopsv1.DeletionDelete:
		return true
	case gitopsv1.DeletionOrphan:
		return false
	default:
		return s.Prune
	}
}

func (p *pass) accountGone(ctx context.Context) (bool, error) {
	var account corev1.ServiceAccount

	err := p.live.Get(ctx, types.NamespacedName{Namespace: p.sync.Namespace, Name: accountOf(p.sync)}, &account)
	if apierrors.IsNotFound(err) {
		return true, nil
	}

	if err != nil {
		return false, fmt.Errorf("read ServiceAccount %q: %w", accountOf(p.sync), err)
	}

	return false, nil
}

// mendDeletion is what an owner can do whose GitSync cannot take down what it has applied.
const mendDeletion = "; spec.deletionPolicy: Orphan lets it go without"

// takeDown deletes all that is on record.
func (p *pass) takeDown(ctx context.Context, recorded []inventory.Entry) (outcome.Result, error) {
	if !p.turns.enter(p.key) {
		return p.between(turnPoll)
	}

	defer p.passOn()

	r := p.request(&visit{built: &built{}}, recorded)
	r.Prune, r.AllowEmpty = true, true

	plan, err := p.applier.Plan(ctx, r)
	if err != nil {
		return outcome.Result{}, err
	}

	changes, left, err := plan.Prune(ctx)
	if len(changes.Written()) > 0 {
		p.opts.Recorder.Event(p.sync, corev1.EventTypeNormal, eventApplied, changesText(p.sync.Status.LastAppliedRevision, changes.Written()))
	}

	p.sync.Status.Inventory = inventoryOf(left)

	var wrong delivery.Errors
	if errors.As(err, &wrong) && len(wrong) > 0 {
		p.failures++

		return outcome.Result{}, &outcome.Wait{
			Reason: gitopsv1.ReasonPruneFailed, Message: wrong.Error() + mendDeletion, Err: wrong,
			After: p.schedule().Retry(p.failures, p.opts.Roll()),
		}
	}

	if err != nil {
		return outcome.Result{}, err
	}

	return outcome.Result{Finalized: true}, nil
}
