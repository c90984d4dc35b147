package swarm

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
)

// service is a service and what the engine knows of it without showing it.
type service struct {
	born
	swarm.Service
	// auth is the registry credential of the present spec; the API never gives it back.
	auth string
	// allocate is true until the ports and addresses of the present spec are allocated.
	allocate bool
	// restarts are the times at which tasks of the present spec were restarted, by slot.
	restarts map[slotKey][]time.Time
}

func (s *service) name() string { return s.Spec.Name }

// ServiceCreate makes a service. The engine answers before any task exists.
func (c *Client) ServiceCreate(ctx context.Context, spec swarm.ServiceSpec, options swarm.ServiceCreateOptions) (swarm.ServiceCreateResponse, error) {
	return do(ctx, c, "ServiceCreate", spec.Name, true, func() (swarm.ServiceCreateResponse, error) {
		accepted, err := c.cluster.accept(spec, "")
		if err != nil {
			return swarm.ServiceCreateResponse{}, err
		}

		for _, s := range c.cluster.services {
			if s.name() == spec.Name {
				return swarm.ServiceCreateResponse{}, alreadyExists("name conflicts with an existing object: service %s already exists", spec.Name)
			}
		}

		s := &service{born: c.cluster.next(), auth: options.EncodedRegistryAuth, restarts: map[slotKey][]time.Time{}}
		s.ID, s.Spec = c.cluster.newID(), accepted
		s.allocate = needsAllocation(accepted)
		c.cluster.services[s.ID] = s
		c.cluster.writeService(s, events.ActionCreate, nil)

		return swarm.ServiceCreateResponse{ID: s.ID}, nil
	})
}

// ServiceUpdate replaces the spec of a service. Even a spec that is the same takes the place of the previous one, and
// the status of the rollout with it.
func (c *Client) ServiceUpdate(ctx context.Context, ref string, version swarm.Version, spec swarm.ServiceSpec, options swarm.ServiceUpdateOptions) (swarm.ServiceUpdateResponse, error) {
	return do(ctx, c, "ServiceUpdate", ref, true, func() (swarm.ServiceUpdateResponse, error) {
		s, ok := find(c.cluster.services, ref, (*service).name)
		if !ok {
			return swarm.ServiceUpdateResponse{}, notFound("service", ref)
		}

		accepted, err := c.cluster.accept(spec, s.ID)
		if err != nil {
			return swarm.ServiceUpdateResponse{}, err
		}

		switch {
		case accepted.Name != s.Spec.Name:
			return swarm.ServiceUpdateResponse{}, unimplemented("renaming services is not supported")
		case (accepted.Mode.Global != nil) != (s.Spec.Mode.Global != nil):
			return swarm.ServiceUpdateResponse{}, unimplemented("service mode change is not allowed")
		case options.Rollback == "previous" && s.PreviousSpec == nil:
			return swarm.ServiceUpdateResponse{}, refuse(400, "rpc error: code = FailedPrecondition desc = service %s does not have a previous spec", s.ID)
		case version.Index != s.Version.Index:
			return swarm.ServiceUpdateResponse{}, errOutOfSequence()
		}

		old := s.Service
		s.UpdateStatus = nil

		if options.Rollback == "previous" {
			s.Spec, s.PreviousSpec = *old.PreviousSpec, nil
			s.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateRollbackStarted, Message: "manually requested rollback", StartedAt: nowUTC()}
		} else {
			s.Spec, s.PreviousSpec = accepted, &old.Spec
		}

		if options.EncodedRegistryAuth != "" {
			s.auth = options.EncodedRegistryAuth
		}

		if !equal(old.Spec.EndpointSpec, s.Spec.EndpointSpec) {
			s.allocate = needsAllocation(s.Spec)
		}

		if !equal(old.Spec.TaskTemplate, s.Spec.TaskTemplate) {
			s.restarts = map[slotKey][]time.Time{}
		}

		c.cluster.writeService(s, events.ActionUpdate, &old)

		return swarm.ServiceUpdateResponse{}, nil
	})
}

// ServiceRemove removes a service at once. Its containers stop later, and nothing of the service is left to ask about
// them.
func (c *Client) ServiceRemove(ctx context.Context, ref string) error {
	_, err := do(ctx, c, "ServiceRemove", ref, true, func() (struct{}, error) {
		s, ok := find(c.cluster.services, ref, (*service).name)
		if !ok {
			return struct{}{}, notFound("service", ref)
		}

		delete(c.cluster.services, s.ID)
		delete(c.cluster.updates, s.ID)
		c.cluster.meta(swarm.Meta{})
		c.cluster.emit(events.ServiceEventType, events.ActionRemove, s.ID, map[string]string{"name": s.name()})

		return struct{}{}, nil
	})

	return err
}

// ServiceInspectWithRaw shows one service.
func (c *Client) ServiceInspectWithRaw(ctx context.Context, ref string, _ swarm.ServiceInspectOptions) (swarm.Service, []byte, error) {
	s, err := do(ctx, c, "ServiceInspectWithRaw", ref, false, func() (swarm.Service, error) {
		s, ok := find(c.cluster.services, ref, (*service).name)
		if !ok {
			return swarm.Service{}, notFound("service", ref)
		}

		return show(s.Service), nil
	})

	return s, nil, err
}

// ServiceList lists services, with counts of their tasks when asked to.
func (c *Client) ServiceList(ctx context.Context, options swarm.ServiceListOptions) ([]swarm.Service, error) {
	return do(ctx, c, "ServiceList", "", false, func() ([]swarm.Service, error) {
		var out []swarm.Service

		for _, s := range sorted(c.cluster.services) {
			if !matches(options.Filters, s.ID, s.Spec.Annotations) {
				continue
			}

			shown := show(s.Service)
			if options.Status {
				shown.ServiceStatus = c.cluster.count(s)
			}

			out = append(out, shown)
		}

		return out, nil
	})
}

// count is the service's tasks in numbers. A task counts as running while nobody has said otherwise, so on a node that
// is down it does.
func (c *Cluster) count(s *service) *swarm.ServiceStatus {
	status := &swarm.ServiceStatus{DesiredTasks: uint64(replicas(s.Spec))}

	for _, t := range c.tasks {
		if t.ServiceID != s.ID {
			continue
		}

		if t.Status.State == swarm.TaskStateRunning {
			status.RunningTasks++
		}

		if s.Spec.Mode.Global != nil && !t.doomed() {
			status.DesiredTasks++
		}
	}

	return status
}

// writeService stores a change of a service: a new version, an event, and work for the orchestrator.
func (c *Cluster) writeService(s *service, action events.Action, old *swarm.Service) {
	s.Meta = c.meta(s.Meta)
	c.touch(s.ID)

	attributes := map[string]string{"name": s.name()}
	if old != nil {
		maps.Copy(attributes, deltas(old, &s.Service))
	}

	c.emit(events.ServiceEventType, action, s.ID, attributes)
}

// deltas is what the engine says in an event about what is different.
func deltas(old, now *swarm.Service) map[string]string {
	out := map[string]string{}

	if a, b := old.Spec.TaskTemplate.ContainerSpec.Image, now.Spec.TaskTemplate.ContainerSpec.Image; a != b {
		out["image.old"], out["image.new"] = a, b
	}

	if a, b := replicas(old.Spec), replicas(now.Spec); a != b {
		out["replicas.old"], out["replicas.new"] = strconv.Itoa(a), strconv.Itoa(b)
	}

	if now.UpdateStatus != nil {
		if old.UpdateStatus == nil {
			out["updatestate.new"] = string(now.UpdateStatus.State)
		} else if old.UpdateStatus.State != now.UpdateStatus.State {
			out["updatestate.old"], out["updatestate.new"] = string(old.UpdateStatus.State), string(now.UpdateStatus.State)
		}
	}

	return out
}

// touch makes the orchestrator look at the service soon.
func (c *Cluster) touch(id string) {
	if _, waiting := c.dirty[id]; !waiting {
		c.dirty[id] = time.Now().Add(c.latency.Orchestrate)
	}
}

// needsAllocation is true for a service that gets ports or an address: allocating them is another write to it.
func needsAllocation(spec swarm.ServiceSpec) bool {
	return spec.EndpointSpec != nil && len(spec.EndpointSpec.Ports) > 0 ||
		len(spec.TaskTemplate.Networks) > 0 && (spec.EndpointSpec == nil || spec.EndpointSpec.Mode != swarm.ResolutionModeDNSRR)
}

// allocatePorts gives the service the ports that its spec asks for.
func (c *Cluster) allocatePorts(s *service) {
	if !s.allocate {
		return
	}

	s.allocate = false
	s.Endpoint = swarm.Endpoint{}

	if e := s.Spec.EndpointSpec; e != nil {
		s.Endpoint.Spec = *e
		s.Endpoint.Ports = e.Ports
	}

	s.Meta = c.meta(s.Meta)
	c.emit(events.ServiceEventType, events.ActionUpdate, s.ID, map[string]string{"name": s.name()})
}

func nowUTC() *time.Time {
	t := time.Now().UTC()

	return &t
}
