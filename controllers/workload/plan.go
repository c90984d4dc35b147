package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// plan lists the steps from what was found to what is wanted, in the order they must run. It is pure: the same
// situation gives the same steps. Nothing is removed before what replaces it is there, with one exception that Swarm
// leaves no choice about: a service whose mode changes.
//
// When something the service refers to is missing, the plan ends after making it; the pass then plans again. An error
// is a Wait: somebody else has to move before the service can be touched.
func plan(s *situation, held portHolder) ([]step, error) {
	var steps []step

	if s.verdict != nil {
		steps = append(steps, markRevision{s.history.latest(), *s.verdict})
	}

	steps = append(steps, s.jobSteps...)
	steps = append(steps, holdSteps(s)...)

	if err := obstacle(s); err != nil || s.template == nil {
		return steps, err
	}

	if missing, err := provisions(s); err != nil || len(missing) > 0 {
		return append(steps, missing...), err
	}

	if s.want == nil {
		return steps, nil
	}

	service, err := serviceSteps(s, held)
	steps = append(steps, service...)

	if err == nil && len(service) == 0 {
		steps = append(steps, recordSteps(s)...)
		steps = append(steps, retireSteps(s)...)
	}

	return steps, err
}

// obstacle is what stands in the way in Swarm and is not ours to move.
func obstacle(s *situation) error {
	w, o := s.world, s.owner

	if w.Service == nil && w.Squatter != nil && s.adoptee == nil {
		return &outcome.Wait{
			Reason:  v1alpha1.ReasonNameConflict,
			Message: fmt.Sprintf("Swarm has a service %q that Dogker did not make; remove or rename one of them", w.Squatter.Spec.Name),
		}
	}

	if w.Network == nil && w.NetworkSquatter {
		return &outcome.Wait{
			Reason:  v1alpha1.ReasonNameConflict,
			Message: fmt.Sprintf("Swarm has a network %q that Dogker did not make; remove it", swarmobj.NetworkName(o.Tenant)),
		}
	}

	return nil
}

// provisions makes what the service refers to.
func provisions(s *situation) ([]step, error) {
	var steps []step

	switch {
	case s.world.Network != nil:
	case s.tenant != nil:
		return nil, &outcome.Wait{
			Reason:  v1alpha1.ReasonTenantNotReady,
			Message: fmt.Sprintf("The network of tenant %q is not there yet", s.tenant.Name),
		}
	default:
		steps = append(steps, createNetwork{s.owner.Tenant})
	}

	for _, c := range s.needs() {
		if c.Data == nil {
			return nil, &outcome.Wait{
				Reason:  v1alpha1.ReasonReferenceNotFound,
				Message: fmt.Sprintf("The content of file %q as revision %d had it is gone from Swarm", c.Path, s.target.number),
			}
		}

		steps = append(steps, createContent{s.owner.Tenant, c})
	}

	return steps, nil
}

// serviceSteps brings the service itself to what is wanted.
func serviceSteps(s *situation, held portHolder) ([]step, error) {
	for _, d := range s.world.Duplicates {
		return []step{removeService{d.ID, d.Spec.Name, s.owner, "a second service of the same owner"}}, nil
	}

	live := s.world.Service
	if live == nil && s.adoptee != nil {
		return []step{adoptService{seen: *s.adoptee, want: *s.want, auth: s.auth}}, nil
	}
	if live == nil {
		return create(s, held)
	}

	if generationOf(live) > s.generation() {
		return nil, &outcome.Wait{
			Reason:  v1alpha1.ReasonStaleController,
			Message: "Swarm holds a newer generation of this container than Dogker has seen",
		}
	}

	if undecided(s) {
		return nil, &outcome.Wait{Reason: v1alpha1.ReasonRollingBack, Message: "Swarm has rolled back; the tasks are being asked why", After: lookAgain}
	}

	changes := servicespec.Diff(live.Spec, *s.want)
	if len(changes) == 0 {
		if restless(s.world, s.now) {
			return []step{updateService{seen: *live, want: *s.want, auth: s.auth, changes: "nothing", why: whyRestless}}, nil
		}

		return nil, nil
	}

	// A suspended container is meant to have nowhere to run, and what touches no task hinders none.
	if changes.Impact() >= servicespec.ImpactTemplate && !s.scale.none() && !s.moved {
		if why := stranded(s); why != nil {
			return nil, &outcome.Wait{Reason: why.Reason, Message: why.Message}
		}
		if h, bad := preflight(*s.want, s.template.Resources, live.ID, s.world.Nodes, held); bad {
			return nil, &outcome.Wait{Reason: h.reason, Message: h.message}
		}
	}

	if changes.Impact() == servicespec.ImpactRecreate {
		return []step{removeService{live.ID, live.Spec.Name, s.owner, "Swarm cannot make this change in place: " + changes.String()}}, nil
	}

	return update(s, changes), nil
}

// undecided is true when Swarm has rolled back from the revision that is to run, and the verdict on it is not in yet,
// because the tasks that know why are still being read. A write now would start the failed revision once more, and would
// take Swarm's way back from it.
func undecided(s *situation) bool {
	latest := s.history.latest()

	return latest != nil && s.target.number == latest.Spec.Revision && latest.Status.Outcome == v1alpha1.OutcomeProgressing &&
		liveRevision(s.world.Service) != latest.Spec.Revision && rolledBackBySwarm(s.world.Service)
}

// create makes the service for the first time, once what it depends on is ready.
func create(s *situation, held portHolder) ([]step, error) {
	if len(s.waitingFor) > 0 {
		return nil, &outcome.Wait{
			Reason:  v1alpha1.ReasonWaitingForDependency,
			Message: "Waiting until ready: " + strings.Join(s.waitingFor, ", "),
		}
	}

	// What can never be placed where its data is would only look as if it could.
	if why := stranded(s); why != nil && !why.Passing() {
		return nil, &outcome.Wait{Reason: why.Reason, Message: why.Message}
	}

	// What cannot be placed is created all the same: Swarm then says why in its own words, and places it as soon as it
	// can. What the engine would refuse is not: a port that is taken it refuses with a text that names the other service,
	// and tasks with too high a limit one after the other.
	if h, bad := preflight(*s.want, s.template.Resources, "", s.world.Nodes, held); bad && h.refused {
		return nil, &outcome.Wait{Reason: h.reason, Message: h.message}
	}

	steps := []step{createService{*s.want, s.auth}}
	if !s.target.fresh || s.proof == nil {
		return steps, nil
	}

	// What is known in favour of the image is known now; the record must not depend on asking once more.
	record := newRevision(s)
	record.Status.Outcome = v1alpha1.OutcomeProgressing

	return append([]step{recordRevision{record, s.supply.env.Referenced()}}, steps...), nil
}

// update changes the service in place. A change that replaces tasks is preceded by its record, so that a rollout that
// Swarm undoes by itself is known to have been tried.
func update(s *situation, changes servicespec.Changes) []step {
	live := s.world.Service

	// Every write ends Swarm's watch over a rollout in flight. What restarts nothing can wait for its end.
	if changes.Impact() == servicespec.ImpactPolicy && updating(live) {
		return nil
	}

	step1 := updateService{seen: *live, want: *s.want, auth: s.auth, changes: changes.String(), why: whyUpdate(s)}
	if !s.target.fresh {
		return []step{step1}
	}

	record := newRevision(s)
	steps := []step{recordRevision{record, s.supply.env.Referenced()}, step1}

	// A rollback that Swarm shows from now on can only be that of this revision, and must be taken for it even if this
	// process dies right after the update. Only when one is to be seen already must the record say for certain whether
	// the update was sent.
	if rolledBackBySwarm(live) {
		return append(steps, markRevision{record, verdict{outcome: v1alpha1.OutcomeProgressing}})
	}

	record.Status.Outcome = v1alpha1.OutcomeProgressing

	return steps
}

// Reasons for an update, for people.
const (
	whySpec     = "the spec changed"
	whyDrift    = "it had been changed outside Dogker"
	whyRollback = "the declared revision failed"
	whyUndo     = "spec.rollbackTo asks for it"
	whyScale    = "scale or policy changed"
	whyWorkers  = "where the containers of tenants may run has changed"
	whyRestless = "Swarm goes on starting tasks that nobody wants"
	whyHeld     = "the data that it mounts cannot be used at the moment"
	whyEntering = "it is there now, so it is given its task"
	whyData     = "the data that it mounts has moved, or was restored"
)

// whyUpdate tells a repair from a change that somebody asked for: a service that still carries what we rendered last
// time has been asked for something new, and one that was rendered from the very same thing has been tampered with.
func whyUpdate(s *situation) string {
	live := s.world.Service.Spec.Labels

	switch {
	case live[v1alpha1.SwarmLabelSpecHash] == s.want.Labels[v1alpha1.SwarmLabelSpecHash]:
		return whyDrift
	case s.created:
		return whyEntering
	case s.moved:
		return whyWorkers
	case s.scale.held != nil:
		return whyHeld
	case s.elsewhere():
		return whyData
	case liveRevision(s.world.Service) == s.target.number:
		return whyScale
	case s.target.failed != nil:
		return whyRollback
	case s.tc.Spec.RollbackTo != nil:
		return whyUndo
	default:
		return whySpec
	}
}

// recordSteps puts the revision of a service that was created just now on record, with what is known of its outcome: a
// mark afterwards would be one write more for each container there is.
func recordSteps(s *situation) []step {
	if s.target.record != nil || s.world.Uncertain || s.world.Service == nil {
		return nil
	}

	record := newRevision(s)
	if v, known := judge(s.tc, s.scale, s.world, append(slices.Clone(s.history), *record), s.now); known && v.outcome != v1alpha1.OutcomeFailed {
		record.Status.Outcome = v.outcome
	}

	return []step{recordRevision{record, s.supply.env.Referenced()}}
}

// retireSteps removes revisions that are past the limit, while nothing is going on that might need them.
func retireSteps(s *situation) []step {
	if updating(s.world.Service) || s.target.record == nil {
		return nil
	}

	limit := 10
	if l := s.tc.Spec.RevisionHistoryLimit; l != nil {
		limit = int(*l)
	}

	var pinned int64
	if n := s.tc.Spec.RollbackTo; n != nil {
		pinned = *n
	}

	var steps []step
	for _, r := range s.history.expired(limit, liveRevision(s.world.Service), pinned) {
		steps = append(steps, removeRevision{r.Name, r.Spec.EnvSecret})
	}

	return steps
}

// perRestore is how far the generations of a restored store are ahead of those before. No object is changed as often.
const perRestore = 1_000_000_000

// generation is what the service is labelled with: the generation of the object, ahead of every one from before the store
// was put back to an earlier time. Otherwise what was written between the backup and its restore would look like the work of
// a newer leader, and be left alone for ever.
func (s *situation) generation() int64 { return s.restores*perRestore + s.tc.Generation }

// generationOf is the generation that the service was last written for.
func generationOf(live *swarm.Service) int64 {
	n, _ := parseInt(live.Spec.Labels[v1alpha1.SwarmLabelGeneration])

	return n
}
