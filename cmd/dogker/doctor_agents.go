package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/filters"
	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// diagnoseAgents says on which nodes containers cannot be seen and reached. It says nothing where the swarm cannot be
// asked, which is said elsewhere, nor of a single node, which needs no agent.
func diagnoseAgents(ctx context.Context, api swarm.API) []swarm.Finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()

	info, err := api.Info(ctx)
	if err != nil || !info.Swarm.ControlAvailable {
		return nil
	}
	nodes, err := api.NodeList(ctx, dockerswarm.NodeListOptions{})
	if err != nil || len(nodes) < 2 {
		return nil
	}
	services, err := api.ServiceList(ctx, dockerswarm.ServiceListOptions{
		Filters: filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelKind+"="+swarmobj.KindAgents)),
	})
	if err != nil {
		return nil
	}
	if len(services) == 0 {
		return []swarm.Finding{{
			Level: swarm.LevelWarning, What: "Agents", Detail: fmt.Sprintf("there are none on the other %d nodes: their containers are not measured, nor reached by kubectl exec", len(nodes)-1),
			Remedy: "dogker agent image --help, and start the server with --agent-image",
		}}
	}
	tasks, err := api.TaskList(ctx, dockerswarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", services[0].ID))})
	if err != nil {
		return nil
	}

	return []swarm.Finding{agentFinding(nodes, tasks)}
}

// agentFinding compares where agents are meant to run with where they do.
func agentFinding(nodes []dockerswarm.Node, tasks []dockerswarm.Task) swarm.Finding {
	names := map[string]string{}
	for _, n := range nodes {
		if n.Status.State == dockerswarm.NodeStateReady {
			names[n.ID] = n.Description.Hostname
		}
	}

	running, failing := 0, []string{}
	for _, t := range tasks {
		name, ready := names[t.NodeID]
		switch {
		case !ready || t.DesiredState != dockerswarm.TaskStateRunning:
		case t.Status.State == dockerswarm.TaskStateRunning:
			running++
		default:
			why := t.Status.Err
			if why == "" {
				why = string(t.Status.State)
			}
			failing = append(failing, fmt.Sprintf("%s (%s)", name, why))
		}
	}
	slices.Sort(failing)

	if len(failing) > 0 {
		return swarm.Finding{
			Level: swarm.LevelWarning, What: "Agents", Detail: fmt.Sprintf("%d run, and not on %s", running, strings.Join(failing, ", ")),
			Remedy: "docker service ps --no-trunc dogker-system_agent",
		}
	}

	return swarm.Finding{Level: swarm.LevelOK, What: "Agents", Detail: fmt.Sprintf("%d run, on %d nodes that are ready", running, len(names))}
}
