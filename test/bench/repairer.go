package main

import (
	"context"
	"errors"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"
)

// repair is the shortest program that puts services back when an event tells that they were touched. It is what repair
// could cost at the least: it believes every event, knows only two kinds of harm, and forgets what it does not hear of.
func repair(ctx context.Context, docker *client.Client, wanted map[string]swarm.ServiceSpec) error {
	messages, errs := docker.Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("type", "service"))})
	for {
		select {
		case m := <-messages:
			want, known := wanted[m.Actor.Attributes["name"]]
			if !known {
				continue
			}
			live, _, err := docker.ServiceInspectWithRaw(ctx, want.Name, swarm.ServiceInspectOptions{})
			if cerrdefs.IsNotFound(err) {
				_, err = docker.ServiceCreate(ctx, want, swarm.ServiceCreateOptions{})
			} else if err == nil && differs(live.Spec, want) {
				_, err = docker.ServiceUpdate(ctx, live.ID, live.Version, want, swarm.ServiceUpdateOptions{})
			}
			if err != nil {
				return err
			}
		case err := <-errs:
			return errors.Join(err, ctx.Err())
		}
	}
}

// differs knows of the harm that the benchmark does.
func differs(live, want swarm.ServiceSpec) bool {
	return live.TaskTemplate.ContainerSpec.Image != want.TaskTemplate.ContainerSpec.Image ||
		*live.Mode.Replicated.Replicas != *want.Mode.Replicated.Replicas
}
