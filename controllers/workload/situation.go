package workload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/refs"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// situation is what one pass knows: the world as it was found, and what was decided about it. It is filled from top to
// bottom; a field that could not be filled is nil, and trouble says why.
type situation struct {
	tc    *v1alpha1.TenantContainer
	owner swarmobj.Owner
	now   time.Time
	// restores is how often the store was put back to an earlier time.
	restores int64
	world    swarmobj.World
	// digests is the key of digests that others may see.
	digests swarmobj.DigestKey

	// tenant of the namespace; nil when it has none.
	tenant *v1alpha1.Tenant
	// confined is true when the security profile of the tenant trusts its containers with nothing beyond themselves.
	confined bool
	// restricted is true when the profile is the strictest one.
	restricted bool
	// timetable is what spec.schedule says about now.
	timetable timetable
	// scale after everybody who has a say.
	scale scale

	// history with the verdict of this pass in it; verdict is what has to be written for that to be true.
	history history
	verdict *verdict

	// target is the revision to run. Its number is 0 while none can be chosen.
	target target
	// template of the target.
	template *v1alpha1.TenantContainerSpec
	// templateHash of the target.
	templateHash string
	// supply is what the template needs from outside itself.
	supply supply
	// image to run, and what the engine needs to pull it.
	image, auth string
	// proof is what is known in favour of the image; nil when nobody has asked.
	proof *v1alpha1.ImageProof
	// want is the service as it is to be. It is nil while something it refers to is missing in Swarm (needs), or while
	// it cannot be rendered (trouble).
	want *swarm.ServiceSpec
	// confinement is what want tells the service beyond its template. moved is true when Swarm has been told
	// otherwise until now, and no task has to be replaced for it.
	confinement
	moved bool

	// adoptee is the service in Swarm that is to become the container's; nil when it is to have one of its own making.
	adoptee *swarm.Service

	// jobSteps are what spec.rollout.preDeploy asks to be made and removed.
	jobSteps []step

	// waitingFor are the containers of spec.dependsOn that are not ready yet.
	waitingFor []string

	// contested is true while somebody keeps undoing what is repaired. Unless they go on, it is over after calmAfter.
	contested bool
	calmAfter time.Duration
	// recreating is true when the service was taken away to be made anew.
	recreating bool
	// created is true when the service was made by this pass.
	created bool

	// trouble is why the declared template does not run; a Wait or a Stall. What runs meanwhile is the target.
	trouble error
}

// survey looks at everything a decision needs and renders the service that is wanted. It reads; it changes nothing. Its
// error means that nothing can be decided at all.
func (c *Controller) survey(ctx context.Context, tc *v1alpha1.TenantContainer) (*situation, error) {
	s := &situation{tc: tc, owner: ownerOf(tc), now: c.now(), restores: c.restores, digests: c.digests}

	var err error
	if s.tenant, err = permit.Tenant(ctx, c.client, tc.Namespace); err != nil {
		return s, err
	}

	profile, err := permit.Profile(ctx, c.client, s.tenant)
	if err != nil {
		return s, err
	}
	s.confined, s.restricted = profile != v1alpha1.ProfilePrivileged, profile == v1alpha1.ProfileRestricted

	if s.world, err = c.swarm.Look(ctx, s.owner); err != nil {
		return s, blind(err)
	}

	if err := c.weigh(ctx, s); err != nil {
		return s, err
	}

	if s.history, err = c.revisions(ctx, tc); err != nil {
		return s, err
	}

	c.takeNetwork(s)
	if err := c.lookAtAdoptee(ctx, s); err != nil || s.trouble != nil {
		return s, err
	}

	// Whatever else is wrong, while somebody else has the name nothing can come of the container.
	if err := obstacle(s); err != nil {
		s.fall(err)
	}

	if v, news := judge(tc, s.scale, s.world, s.history, s.now); news {
		s.verdict = &v
		s.history = s.history.with(v)
	}

	if unexplained(s.scale, s.world, s.history) {
		c.swarm.Converging(s.world.Service.ID)
		s.fall(&outcome.Wait{
			Reason: v1alpha1.ReasonRollingBack, After: lookAgain,
			Message: fmt.Sprintf("Swarm has given revision %d up; its tasks are asked why", s.history.latest().Spec.Revision),
		})

		return s, nil
	}

	if err := c.decide(ctx, s); err != nil {
		return s, err
	}

	if s.world.Service == nil && s.adoptee == nil && s.trouble == nil {
		if s.waitingFor, err = c.unready(ctx, tc); isOutcome(err) {
			s.fall(err)
		} else if err != nil {
			return s, err
		}
	}

	render(s)

	return s, nil
}

// weigh finds out how many tasks the container is to have, by all who have a say.
func (c *Controller) weigh(ctx context.Context, s *situation) error {
	hold, err := mounts.Held(ctx, c.client, c.restores, s.tc.Namespace, s.world.Service, s.world.Tasks)
	if err != nil {
		return err
	}
	if s.timetable, err = timetableOf(s.tc.Spec.Schedule, s.now); err != nil {
		return err
	}
	s.scale = effective(s.tc, s.tenant, s.timetable, hold)

	return nil
}

// fall notes the first trouble: the one that explains the rest.
func (s *situation) fall(err error) {
	if s.trouble == nil {
		s.trouble = err
	}
}

// decide chooses the revision to run and gathers what it needs. When the declared template cannot run, what runs now
// goes on, so that scaling, suspension and repair do not wait for a registry or for a Secret.
func (c *Controller) decide(ctx context.Context, s *situation) error {
	err := c.decideDeclared(ctx, s)
	if err == nil || !isOutcome(err) {
		return err
	}

	s.fall(err)
	s.target, s.template, s.image, s.auth, s.proof = target{}, nil, "", "", nil

	running := s.history.number(liveRevision(s.world.Service))
	if running == nil {
		return nil
	}

	return c.adopt(ctx, s, target{number: running.Spec.Revision, record: running})
}

func (c *Controller) decideDeclared(ctx context.Context, s *situation) error {
	declared := servicespec.TemplateOf(&s.tc.Spec)

	objs, err := refs.Read(ctx, c.client, s.tc.Namespace, &s.tc.Spec)
	if err != nil {
		return err
	}

	supplied, err := c.supplyFrom(s.tc.Namespace, declared, objs)
	if err != nil {
		// A rollback to an earlier revision must not fail on what the declared template lacks.
		if s.tc.Spec.RollbackTo == nil {
			return err
		}

		supplied = supply{pullSecrets: objs.PullSecrets(&s.tc.Spec)}
	}

	hash := servicespec.TemplateHash(declared, supplied.digests(s.tc, s.digests))

	t, err := choose(s.tc, hash, s.history, s.world.Service)
	if err != nil {
		return err
	}

	if t.record != nil && t.record.Spec.TemplateHash != hash {
		if err := c.abandon(ctx, s, nil); err != nil {
			return err
		}

		return c.adopt(ctx, s, t)
	}

	if supplied.mounts, err = mounts.Find(ctx, c.client, c.restores, s.tc.Namespace, declared.Volumes, s.world.Service); err != nil {
		return err
	}
	if err := c.mountable(ctx, s, declared, supplied.mounts); err != nil {
		// What runs is held at nothing as it is, and is not to be taken for something else.
		if !isOutcome(err) || s.scale.held == nil || !t.runs(s.world.Service) || supplied.mounts.Missing {
			return err
		}
		s.fall(err)
	}

	s.target, s.template, s.templateHash, s.supply = t, declared, hash, supplied

	if err := c.chooseImage(ctx, s); err != nil {
		return err
	}
	if err := c.permit(ctx, s); err != nil {
		return err
	}

	return c.preDeploy(ctx, s)
}

// adopt takes a revision from the record: its template, and what that needed at the time.
func (c *Controller) adopt(ctx context.Context, s *situation, t target) error {
	supplied, err := c.supplyOf(ctx, s.tc, t.record)
	if err != nil {
		if isOutcome(err) {
			s.fall(err)

			return nil
		}

		return err
	}

	template := &t.record.Spec.Template
	if supplied.mounts, err = mounts.Find(ctx, c.client, c.restores, s.tc.Namespace, template.Volumes, s.world.Service); err != nil {
		return err
	}
	// Who has his Volumes keeps them; whatever is wrong with them is told.
	if err := c.mountable(ctx, s, template, supplied.mounts); isOutcome(err) {
		s.fall(err)
	} else if err != nil {
		return err
	}
	if supplied.mounts.Missing {
		return nil
	}

	s.target, s.template, s.templateHash, s.supply = t, template, t.record.Spec.TemplateHash, supplied

	if err := c.chooseImage(ctx, s); err != nil {
		return err
	}

	return c.permit(ctx, s)
}

// needs lists the contents that the template refers to and that Swarm lacks.
func (s *situation) needs() []content {
	return slices.DeleteFunc(slices.Clone(s.supply.contents), func(c content) bool {
		_, held := c.find(s.world)

		return held
	})
}

func ownerOf(tc *v1alpha1.TenantContainer) swarmobj.Owner {
	return swarmobj.Owner{Tenant: tc.Namespace, Kind: kind, Name: tc.Name, UID: string(tc.UID)}
}

// kind is the value of the label io.dogker.kind on services.
const kind = "TenantContainer"

// revisions reads the history of a container from the cache.
func (c *Controller) revisions(ctx context.Context, tc *v1alpha1.TenantContainer) (history, error) {
	var list v1alpha1.ContainerRevisionList

	err := c.client.List(ctx, &list, client.InNamespace(tc.Namespace), client.MatchingFields{IndexRevisionOwner: string(tc.UID)})
	if err != nil {
		return nil, fmt.Errorf("list revisions of %q: %w", tc.Name, err)
	}

	return newHistory(list.Items, string(tc.UID)), nil
}

// with returns the history with a verdict on its newest revision.
func (h history) with(v verdict) history {
	out := slices.Clone(h)
	latest := out.latest()
	latest.Status = v1alpha1.ContainerRevisionStatus{Outcome: v.outcome, Reason: v.cause.reason, Message: v.cause.message}

	return out
}

// isOutcome is true for an error that is a decision, not an accident.
func isOutcome(err error) bool {
	var (
		wait  *outcome.Wait
		stall *outcome.Stall
	)

	return errors.As(err, &wait) || errors.As(err, &stall)
}
