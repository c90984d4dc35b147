package workload

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// A service that was there before its container is adopted: it gets our labels, and its first revision stands for what its
// tasks were made from, whatever that looks like. It stands for as long as nobody asks for anything else and nobody
// changes it in Swarm; what follows is an ordinary rollout to what we render, after which nothing is special any more.
//
//	somebody's ──adopt──► ours, tasks untouched ──change, restart or drift──► ours, rendered

// takeNetwork makes a network that was there before the tenant its own, while it has no other.
func (c *Controller) takeNetwork(s *situation) {
	if s.world.Network != nil || s.tenant == nil {
		return
	}
	id := s.tenant.Annotations[v1alpha1.AnnotationAdoptNetwork]
	if id == "" {
		return
	}
	if n, ok := c.swarm.Network(id); ok {
		s.world.Network, s.world.NetworkSquatter = &n, false
	}
}

// lookAtAdoptee finds the service that is to be adopted, once in the life of a container: before it has a service, or a
// history, of its own.
func (c *Controller) lookAtAdoptee(ctx context.Context, s *situation) error {
	id := s.tc.Annotations[v1alpha1.AnnotationAdopt]
	if id == "" || s.world.Service != nil || s.history.latest() != nil {
		return nil
	}

	live, err := c.swarm.Foreign(ctx, id)
	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		s.fall(refuseAdoption("Swarm has no service with the ID %q; without the annotation %s one is made", id, v1alpha1.AnnotationAdopt))
	case errors.Is(err, swarmobj.ErrRefused):
		s.fall(refuseAdoption("%v", err))
	case err != nil:
		return fmt.Errorf("look at the service to adopt: %w", blind(err))
	default:
		if problem := unadoptable(&live, s); problem != "" {
			s.fall(refuseAdoption("Service %q cannot be adopted: %s", live.Spec.Name, problem))

			return nil
		}
		s.adoptee = &live
	}

	return nil
}

func refuseAdoption(format string, args ...any) error {
	return &outcome.Wait{Reason: v1alpha1.ReasonAdoptionRefused, Message: fmt.Sprintf(format, args...), After: permit.Retry}
}

// unadoptable says what keeps a service from being adopted as it is; nothing when nothing does. Its container part and what
// else it must not run is for the guard to see.
func unadoptable(live *swarm.Service, s *situation) string {
	spec := &live.Spec
	con := spec.TaskTemplate.ContainerSpec

	switch {
	case spec.Name != swarmobj.ServiceName(s.owner.Tenant, s.owner.Name):
		return fmt.Sprintf("its name would have to be %q, and Swarm renames nothing", swarmobj.ServiceName(s.owner.Tenant, s.owner.Name))
	case con == nil:
		return "it runs no containers"
	case updating(live):
		return "Swarm is replacing its tasks; wait until it has done so"
	case len(spec.Networks) > 0: //nolint:staticcheck // A service made by an old client may use the deprecated field.
		return "its networks are declared in a field that Swarm has given up; write them into the task template"
	case (spec.Mode.Global != nil) != (s.tc.Spec.Mode == v1alpha1.ModeGlobal), spec.Mode.Replicated == nil && spec.Mode.Global == nil:
		return "Swarm does not change the mode of a service, and spec.mode is another"
	case asSent(con.Image) != con.Image:
		return fmt.Sprintf("its image is written as %q, and clients of the engine write %q, which would replace its tasks", con.Image, asSent(con.Image))
	default:
		return ""
	}
}

// asSent is an image as Docker's client writes it whenever it sends a service.
func asSent(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}

	return reference.FamiliarString(reference.TagNameOnly(named))
}

// standing is the service whose tasks stay although they are not made from what we render: the one to adopt, or one that
// was adopted and is to run the revision that stands for them. It is nil for all others.
func (s *situation) standing() *swarm.Service {
	live := s.world.Service
	if live == nil {
		return s.adoptee
	}

	labels := live.Spec.Labels
	asked := s.tc.Annotations[v1alpha1.AnnotationRestartedAt]

	switch {
	case liveRevision(live) != s.target.number, labels[v1alpha1.SwarmLabelTemplateHash] != s.templateHash:
		return nil
	case asked != "" && asked != labels[v1alpha1.SwarmLabelRestartedAt]:
		return nil // They are to be replaced anyway.
	case !servicespec.IsAdopted(live.Spec):
		return nil
	default:
		return live
	}
}

// renderStanding builds what is wanted of a service that keeps its tasks: all but these is as declared. Where they run and
// what they may gain is settled by the first rollout.
func renderStanding(s *situation, from *swarm.Service) {
	in := input(s, confinement{})
	in.ForceUpdate = from.Spec.TaskTemplate.ForceUpdate

	spec, err := servicespec.Build(in)
	if err != nil {
		s.fall(&outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Err: err})

		return
	}

	spec = servicespec.Adopt(spec, from.Spec)
	if s.adoptee != nil {
		if err := guard.Check(spec, s.guardFacts()); err != nil {
			s.fall(refuseAdoption("Service %q cannot be adopted: %v", from.Spec.Name, err))

			return
		}
	}

	s.want = &spec
}
