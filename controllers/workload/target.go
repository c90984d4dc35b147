package workload

import (
	"fmt"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

// target is the revision that Swarm is to run, and why it is not the declared one when it is not.
type target struct {
	number int64
	// record of the revision; nil while there is none, which is when the template is the declared one.
	record *v1alpha1.ContainerRevision
	// fresh is true when neither a record nor the service knows the revision yet: its image has to be resolved.
	fresh bool
	// paused is true when spec.paused holds the declared template back.
	paused bool
	// failed is the declared revision that was given up; nil when none was.
	failed *v1alpha1.ContainerRevision
}

// choose decides which revision is to run. declaredHash identifies the declared template with the content it refers to.
// It fails with a Stall when the spec names a revision that is not there.
func choose(tc *v1alpha1.TenantContainer, declaredHash string, h history, live *swarm.Service) (target, error) {
	if n := tc.Spec.RollbackTo; n != nil {
		record := h.number(*n)
		if record == nil {
			return target{}, &outcome.Stall{
				Reason:  v1alpha1.ReasonRevisionNotFound,
				Message: fmt.Sprintf("spec.rollbackTo: revision %d is not in the history%s", *n, h.hint()),
			}
		}

		return target{number: *n, record: record}, nil
	}

	declared := chooseDeclared(tc, declaredHash, h, live)
	if !tc.Spec.Paused || live == nil || declared.number == liveRevision(live) {
		return declared, nil
	}

	// A change is held back: what runs goes on, if it is known what that is.
	if running := h.number(liveRevision(live)); running != nil {
		return target{number: running.Spec.Revision, record: running, paused: true}, nil
	}

	return declared, nil
}

// chooseDeclared finds the revision of the declared template, or the one that runs in place of it because it failed.
func chooseDeclared(tc *v1alpha1.TenantContainer, declaredHash string, h history, live *swarm.Service) target {
	latest := h.latest()
	unrecorded := liveRevision(live)

	// The service was created and its revision is not on record yet: that comes after the service, because somebody is
	// waiting for the service.
	if live != nil && unrecorded > 0 && (latest == nil || latest.Spec.Revision < unrecorded) &&
		live.Spec.Labels[v1alpha1.SwarmLabelTemplateHash] == declaredHash {
		return target{number: unrecorded}
	}

	if latest == nil || latest.Spec.TemplateHash != declaredHash {
		return target{number: h.next(unrecorded), fresh: true}
	}

	if latest.Status.Outcome != v1alpha1.OutcomeFailed || failureAction(tc) != v1alpha1.FailureRollback {
		return target{number: latest.Spec.Revision, record: latest}
	}

	if good := h.lastGood(latest.Spec.Revision); good != nil {
		return target{number: good.Spec.Revision, record: good, failed: latest}
	}

	// There is nothing to go back to.
	return target{number: latest.Spec.Revision, record: latest}
}

func failureAction(tc *v1alpha1.TenantContainer) v1alpha1.FailureAction {
	if r := tc.Spec.Rollout; r != nil && r.FailureAction != "" {
		return r.FailureAction
	}

	return v1alpha1.FailureRollback
}

// hint names the revisions that there are.
func (h history) hint() string {
	if len(h) == 0 {
		return ", which is empty"
	}

	return fmt.Sprintf("; it holds %d to %d", h[0].Spec.Revision, h.latest().Spec.Revision)
}
