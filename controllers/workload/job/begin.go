package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/mounts"
	"github.com/dogker/dogker/controllers/workload/permit"
	"github.com/dogker/dogker/controllers/workload/refs"
	"github.com/dogker/dogker/controllers/workload/servicespec"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// start is what is known about runs that are to begin now: one template, one image, the same contents. It is filled from top to
// bottom.
type start struct {
	job   *v1alpha1.TenantJob
	owner swarmobj.Owner
	seen  swarmobj.JobWorld
	now   time.Time

	tenant *v1alpha1.Tenant
	// confined is true when the security profile of the tenant trusts its containers with nothing beyond themselves, and
	// restricted when it is the strictest one.
	confined, restricted bool

	template    *v1alpha1.TenantContainerSpec
	env         servicespec.Variables
	contents    []content
	mounts      mounts.Set
	pullSecrets [][]byte
	image, auth string
}

// content is the content of one file and the name of the Swarm object that holds it.
type content struct {
	servicespec.FileContent
	swarmName string
}

// prepare finds out whether a service of the job can be made, and makes what it refers to. What it fails with as a Wait or a Stall
// is an obstacle, which is told; any other error ends the pass.
func (c *Controller) prepare(ctx context.Context, s *start) error {
	for _, step := range []func(context.Context, *start) error{c.lookAtProfile, c.gather, c.mount, c.chooseImage, c.permit, c.provide} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}

	// Whether it can be rendered does not depend on which run it is.
	spec, _, err := render(s, s.job.Name)
	if err != nil {
		return err
	}

	return s.placeable(spec.TaskTemplate.Placement)
}

// begin makes the service of a run that is on record. One that is there already was made by an earlier pass.
func (c *Controller) begin(ctx context.Context, s *start, step jobrun.Step) error {
	spec, facts, err := render(s, step.Run)
	if err != nil {
		return err
	}
	if err := guard.Check(spec, facts); err != nil {
		return err
	}
	// A cache may be behind a move that has just begun.
	if err := s.mounts.Still(ctx, c.live, c.restores, s.job.Namespace); err != nil {
		return err
	}

	// Later than that the run may be taken for one that never began.
	ctx, cancel := context.WithDeadline(ctx, step.Before)
	defer cancel()

	if _, err = c.swarm.CreateService(ctx, spec, s.auth); err != nil && !errors.Is(err, swarmobj.ErrExists) {
		return fmt.Errorf("create service %q: %w", spec.Name, sight.Lost(err))
	}

	return nil
}

func (c *Controller) lookAtProfile(ctx context.Context, s *start) error {
	profile, err := permit.Profile(ctx, c.client, s.tenant)
	s.confined, s.restricted = profile != v1alpha1.ProfilePrivileged, profile == v1alpha1.ProfileRestricted

	return err
}

// gather reads what the template refers to, as it is now: a run keeps it until its end.
func (c *Controller) gather(ctx context.Context, s *start) error {
	s.template = jobrun.Container(&s.job.Spec)

	objs, err := refs.Read(ctx, c.client, s.job.Namespace, s.template)
	if err != nil {
		return err
	}
	s.pullSecrets = objs.PullSecrets(s.template)

	if s.env, err = servicespec.Env(s.template, objs.Lookup); err != nil {
		return unusable(err)
	}

	files, err := servicespec.Files(s.template, objs.Lookup)
	if err != nil {
		return unusable(err)
	}
	for _, f := range files {
		s.contents = append(s.contents, content{f, c.digests.ContentName(contentOwner(s.job.Namespace, f), f.Data)})
	}

	return nil
}

// contentOwner is whom the content of a file belongs to: the Secret or ConfigMap, which containers may refer to as well.
func contentOwner(namespace string, f servicespec.FileContent) swarmobj.Owner {
	return swarmobj.Owner{Tenant: namespace, Kind: string(f.Kind), Name: f.Name}
}

// unusable says whether a reference is missing or of no use.
func unusable(err error) error {
	var missing *servicespec.MissingError
	if errors.As(err, &missing) {
		return &outcome.Wait{Reason: v1alpha1.ReasonReferenceNotFound, Err: err}
	}

	return &outcome.Wait{Reason: v1alpha1.ReasonInvalidReference, Err: err}
}

// permit holds what is about to run against the policy of the tenant as it is now.
func (c *Controller) permit(ctx context.Context, s *start) error {
	if s.tenant == nil {
		return nil
	}

	rules, err := permit.Policy(ctx, c.client, s.tenant)
	if err != nil {
		return err
	}
	if errs := rules.Check(s.template); len(errs) > 0 {
		return permit.Refused(errs.ToAggregate().Error())
	}

	if rule := rules.Signature(s.template.Image); rule != nil {
		_, err := permit.Signed(ctx, c.registry, rule, s.template.Image, s.image, s.pullSecrets, s.now)

		return err
	}

	return nil
}

// provide makes what the service refers to, as far as Swarm lacks it, and then waits until it is seen.
func (c *Controller) provide(ctx context.Context, s *start) error {
	made := false

	switch {
	case s.seen.Network != nil:
	case s.seen.NetworkSquatter:
		return &outcome.Wait{
			Reason:  v1alpha1.ReasonNameConflict,
			Message: fmt.Sprintf("Swarm has a network %q that Dogker did not make; remove it", swarmobj.NetworkName(s.owner.Tenant)),
		}
	case s.tenant != nil:
		return &outcome.Wait{
			Reason:  v1alpha1.ReasonTenantNotReady,
			Message: fmt.Sprintf("The network of tenant %q is not there yet", s.tenant.Name),
		}
	default:
		if _, err := c.swarm.CreateNetwork(ctx, s.owner.Tenant); err != nil && !errors.Is(err, swarmobj.ErrExists) {
			return fmt.Errorf("create network: %w", sight.Lost(err))
		}
		made = true
	}

	for _, f := range s.contents {
		if _, held := f.find(s.seen); held {
			continue
		}
		if err := c.create(ctx, s.owner.Tenant, f); err != nil && !errors.Is(err, swarmobj.ErrExists) {
			return fmt.Errorf("create %s %q: %w", f.Kind, f.swarmName, sight.Lost(err))
		}
		made = true
	}

	if !made {
		return nil
	}

	seen, err := c.swarm.LookRuns(ctx, s.owner)
	if err != nil {
		return sight.Lost(err)
	}
	s.seen = seen

	if s.seen.Network == nil || s.lacks() {
		return &outcome.Wait{Reason: v1alpha1.ReasonProgressing, Message: "What the run refers to is being made in Swarm", After: lookAgain}
	}

	return nil
}

func (s *start) lacks() bool {
	for _, f := range s.contents {
		if _, held := f.find(s.seen); !held {
			return true
		}
	}

	return false
}

// find returns the Swarm object that holds the content, and false when there is none.
func (f content) find(seen swarmobj.JobWorld) (swarmobj.Content, bool) {
	held := seen.Configs
	if f.Kind == servicespec.KindSecret {
		held = seen.Secrets
	}

	found, ok := held[f.swarmName]

	return found, ok
}

func (c *Controller) create(ctx context.Context, namespace string, f content) error {
	annotations := swarm.Annotations{Name: f.swarmName, Labels: contentOwner(namespace, f.FileContent).Labels()}

	var err error
	if f.Kind == servicespec.KindSecret {
		_, err = c.swarm.CreateSecret(ctx, swarm.SecretSpec{Annotations: annotations, Data: f.Data})
	} else {
		_, err = c.swarm.CreateConfig(ctx, swarm.ConfigSpec{Annotations: annotations, Data: f.Data})
	}

	return err
}

// render makes the service of a run, and gathers what it is held against.
func render(s *start, run string) (swarm.ServiceSpec, guard.Facts, error) {
	off := s.confined && permit.OffManagers(s.seen.Nodes)
	locked := s.restricted && permit.AllLockDown(s.seen.Nodes)

	in := servicespec.Input{
		Owner: s.owner, Template: s.template, OffManagers: off, NoNewPrivileges: locked, Image: s.image, Env: s.env.Strings(),
		NetworkID: s.seen.Network.ID, Generation: s.job.Generation, RequestedImage: string(s.template.Image),
	}
	in.Volumes = s.mounts.Volumes
	for _, f := range s.contents {
		held, _ := f.find(s.seen)
		in.Files = append(in.Files, f.Resolved(held.ID, held.Name))
	}

	spec, err := servicespec.BuildJob(in, servicespec.Job{Run: run, Tasks: jobrun.Tasks(&s.job.Spec, 0)})
	if err != nil {
		return spec, guard.Facts{}, &outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Err: err}
	}

	facts := guard.Facts{
		Owner: s.owner, Run: run, NetworkID: s.seen.Network.ID, Secrets: ids(s.seen.Secrets), Configs: ids(s.seen.Configs),
		OffManagers: off, NoNewPrivileges: locked, Volumes: s.mounts.Guarded(s.template.Volumes),
	}
	if isID(s.image) {
		facts.ImageID = s.image
	}

	return spec, facts, nil
}

func ids(contents map[string]swarmobj.Content) map[string]string {
	out := make(map[string]string, len(contents))
	for name, c := range contents {
		out[name] = c.ID
	}

	return out
}
