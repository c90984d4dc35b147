package workload

import (
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
)

// render builds the service that is wanted, when everything it refers to is there.
func render(s *situation) {
	if s.template == nil || len(s.needs()) > 0 || s.world.Network == nil {
		return
	}

	if from := s.standing(); from != nil {
		renderStanding(s, from)

		return
	}

	live := s.world.Service
	now := confinement{offManagers: s.confined && keptOff(live), noNewPrivileges: lockedDown(s.world)}

	spec, err := servicespec.Build(input(s, now))
	if err == nil {
		restarts := func() bool { return servicespec.Diff(live.Spec, spec).Impact() >= servicespec.ImpactTemplate }
		s.confinement = confinement{
			offManagers:     s.confined && keepOff(s.world, restarts),
			noNewPrivileges: lockDown(s.restricted, s.world, restarts),
		}
		if s.confinement != now {
			s.moved = s.offManagers != now.offManagers && live != nil && !restarts()
			spec, err = servicespec.Build(input(s, s.confinement))
		}
	}
	if err != nil {
		s.fall(&outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Err: err})

		return
	}

	s.want = &spec
}

// confinement is what a service is told beyond what its template says, for whom it belongs to. Both come with a rollout
// and not by themselves.
type confinement struct {
	offManagers, noNewPrivileges bool
}

func input(s *situation, c confinement) servicespec.Input {
	force, restartedAt := restart(s.tc, s.world.Service)

	return servicespec.Input{
		Owner:           s.owner,
		Template:        s.template,
		Rollout:         s.rollout(),
		Replicas:        uint64(max(s.scale.replicas, 0)),
		Suspended:       s.scale.none() || s.supply.mounts.Lost || entering(s),
		OffManagers:     c.offManagers,
		NoNewPrivileges: c.noNewPrivileges,
		Image:           s.image,
		Env:             s.supply.env.Strings(),
		Files:           s.supply.resolve(s.world),
		Volumes:         s.supply.mounts.Volumes,
		NetworkID:       s.world.Network.ID,
		ForceUpdate:     force,
		Generation:      s.generation(),
		Revision:        s.target.number,
		TemplateHash:    s.templateHash,
		RequestedImage:  string(s.template.Image),
		RestartedAt:     restartedAt,
		RegistryAuth:    authDigest(s.digests, s.owner, s.auth),
	}
}

// rollout is the declared policy. On the way back to an earlier revision a failure only pauses: Swarm's own rollback
// would return to what has just been left, and the two would take turns for ever. What was sent with the way back stays
// as it is until the container goes forward again, because another write would end Swarm's watch over it.
//
// Nor is there a way back for tasks that follow their data: what they have come from is another node, or data from before a restore.
func (s *situation) rollout() *v1alpha1.Rollout {
	if s.elsewhere() {
		r := &v1alpha1.Rollout{}
		if s.tc.Spec.Rollout != nil {
			r = s.tc.Spec.Rollout.DeepCopy()
		}
		r.FailureAction = v1alpha1.FailureContinue

		return r
	}
	if s.target.failed == nil && s.tc.Spec.RollbackTo == nil {
		return s.tc.Spec.Rollout
	}

	r := &v1alpha1.Rollout{}
	if s.tc.Spec.Rollout != nil {
		r = s.tc.Spec.Rollout.DeepCopy()
	}

	live := s.world.Service
	if liveRevision(live) != s.target.number {
		r.FailureAction = v1alpha1.FailurePause

		return r
	}

	if sent := live.Spec.UpdateConfig; sent != nil {
		switch sent.FailureAction {
		case swarm.UpdateFailureActionPause:
			r.FailureAction = v1alpha1.FailurePause
		case swarm.UpdateFailureActionContinue:
			r.FailureAction = v1alpha1.FailureContinue
		case swarm.UpdateFailureActionRollback:
			r.FailureAction = v1alpha1.FailureRollback
		}
	}

	return r
}

// elsewhere is true when the revision that runs is to go on with its data in another place than it has it in.
func (s *situation) elsewhere() bool {
	live := s.world.Service

	return live != nil && liveRevision(live) == s.target.number && s.supply.mounts.Elsewhere(live, s.owner.Tenant)
}

// restart is the force-update counter and the annotation it obeys. The counter is carried over from the live service,
// because any other value restarts the tasks, and so does the value it has after a recreate.
func restart(tc *v1alpha1.TenantContainer, live *swarm.Service) (force uint64, restartedAt string) {
	asked := tc.Annotations[v1alpha1.AnnotationRestartedAt]
	if live == nil {
		return 0, asked
	}

	force, restartedAt = live.Spec.TaskTemplate.ForceUpdate, live.Spec.Labels[v1alpha1.SwarmLabelRestartedAt]
	if asked != "" && asked != restartedAt {
		return force + 1, asked
	}

	return force, restartedAt
}
