package main

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/test/bench/rig"
)

// harms are what is done to services behind their owner's back, in turn.
var harms = []func(ctx context.Context, docker *client.Client, s swarm.Service) error{
	func(ctx context.Context, docker *client.Client, s swarm.Service) error {
		return docker.ServiceRemove(ctx, s.ID)
	},
	func(ctx context.Context, docker *client.Client, s swarm.Service) error {
		one := uint64(1)
		s.Spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &one}
		return update(ctx, docker, s)
	},
	func(ctx context.Context, docker *client.Client, s swarm.Service) error {
		c := *s.Spec.TaskTemplate.ContainerSpec
		c.Image = "dogker.test/harm:v1"
		s.Spec.TaskTemplate.ContainerSpec = &c
		return update(ctx, docker, s)
	},
}

func update(ctx context.Context, docker *client.Client, s swarm.Service) error {
	_, err := docker.ServiceUpdate(ctx, s.ID, s.Version, s.Spec, swarm.ServiceUpdateOptions{})

	return err
}

// harmer does harm and hears from the engine when it has been repaired.
type harmer struct {
	engine   *rig.Engine
	messages <-chan events.Message
	errs     <-chan error
	count    int
}

func newHarmer(ctx context.Context, e *rig.Engine) *harmer {
	h := &harmer{engine: e}
	h.messages, h.errs = e.Docker.Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", "service"))})

	return h
}

// harm harms a service and waits for its repair. It returns the time between the two events, by the engine's clock.
func (h *harmer) harm(ctx context.Context, s swarm.Service) (time.Duration, error) {
	live, _, err := h.engine.Docker.ServiceInspectWithRaw(ctx, s.ID, swarm.ServiceInspectOptions{})
	if err != nil {
		return 0, err
	}

	h.count++
	if err := harms[h.count%len(harms)](ctx, h.engine.Docker, live); err != nil {
		return 0, fmt.Errorf("harm service %q: %w", s.Spec.Name, err)
	}
	// The engine tells of an update twice when its tasks are to change: when the update is written, and when it has
	// begun. What repairs is the first create after a removal, and the first update that brings replicas or image back.
	done, err := h.next(ctx, s.Spec.Name, func(events.Message) bool { return true })
	if err != nil {
		return 0, err
	}
	repaired, err := h.next(ctx, s.Spec.Name, undoes(done))
	if err != nil {
		return 0, err
	}

	return time.Duration(repaired.TimeNano - done.TimeNano), nil
}

// undoes recognises the event of a repair by the values that the event of the harm has told.
func undoes(done events.Message) func(events.Message) bool {
	return func(m events.Message) bool {
		if done.Action == events.ActionRemove {
			return m.Action == events.ActionCreate
		}
		for _, what := range []string{"image", "replicas"} {
			if was, told := done.Actor.Attributes[what+".old"]; told && m.Actor.Attributes[what+".new"] == was {
				return true
			}
		}

		return false
	}
}

func (h *harmer) next(ctx context.Context, name string, wanted func(events.Message) bool) (events.Message, error) {
	for {
		select {
		case m := <-h.messages:
			if m.Actor.Attributes["name"] == name && wanted(m) {
				return m, nil
			}
		case err := <-h.errs:
			return events.Message{}, fmt.Errorf("listen to events: %w", err)
		case <-ctx.Done():
			return events.Message{}, fmt.Errorf("wait for repair of service %q: %w", name, ctx.Err())
		}
	}
}
