package contract

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	dswarm "github.com/docker/docker/api/types/swarm"
)

var watching = []Case{
	{
		Name:   "ServicesMakeEventsAndTasksMakeNone",
		Reason: "What happens to tasks can be heard only from the containers of the engine one is connected to.",
		Run: func(t *testing.T, e Engine) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()

			messages, errs := e.API.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
				filters.Arg("type", "service"), filters.Arg("type", "container"), filters.Arg("type", "secret"),
			)})

			id := e.create(t, e.spec("heard"))
			e.awaitRunning(t, id, 1)
			e.update(t, id, func(s *dswarm.ServiceSpec) { s.Labels["more"] = "yes" })

			if err := e.API.ServiceRemove(t.Context(), id); err != nil {
				t.Fatal(err)
			}

			missing := map[string]bool{
				"service create": true, "service update": true, "service remove": true,
				"container create": true, "container start": true, "container die": true,
			}

			deadline := time.After(patience)
			for len(missing) > 0 {
				select {
				case m := <-messages:
					mine := m.Actor.ID == id && m.Scope == "swarm" && m.Actor.Attributes["name"] == "heard" ||
						m.Actor.Attributes["com.docker.swarm.service.id"] == id && m.Scope == "local" && m.Actor.Attributes["com.docker.swarm.task.id"] != ""
					if mine {
						delete(missing, fmt.Sprintf("%s %s", m.Type, m.Action))
					}
				case err := <-errs:
					t.Fatalf("the stream ended: %v", err)
				case <-deadline:
					t.Fatalf("not heard: %v", missing)
				}
			}

			cancel()

			if err := <-errs; err == nil {
				t.Error("the stream ended without saying why")
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "ListCountsTasks",
		Reason: "One call tells of all services whether as many tasks run as should.",
		Run: func(t *testing.T, e Engine) {
			spec := e.spec("counted")
			*spec.Mode.Replicated.Replicas = 2
			id := e.create(t, spec)
			e.awaitRunning(t, id, 2)

			list, err := e.API.ServiceList(t.Context(), dswarm.ServiceListOptions{Filters: label("contract", "counted"), Status: true})
			if err != nil || len(list) != 1 {
				t.Fatalf("by label: %d services, %v", len(list), err)
			}

			if got := list[0].ServiceStatus; got == nil || got.RunningTasks != 2 || got.DesiredTasks != 2 {
				t.Errorf("counts %+v", got)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "VersionsMoveByThemselves",
		Reason: "Allocation and rollouts write to the same object, so a version is no generation.",
		Run: func(t *testing.T, e Engine) {
			id := e.create(t, e.rolling("moving", dswarm.UpdateOrderStartFirst))
			e.awaitRunning(t, id, 1)
			e.update(t, id, setEnv("V=2"))
			first := e.inspect(t, id).Version.Index
			last := e.awaitUpdate(t, id, dswarm.UpdateStateCompleted).Version.Index

			if last <= first {
				t.Errorf("version %d did not move on from %d during a rollout", last, first)
			}

			e.cleanUp(t, id)
		},
	},
	{
		Name:   "NodeIsShown",
		Reason: "Pre-flight checks of placement read it.",
		Run: func(t *testing.T, e Engine) {
			nodes, err := e.API.NodeList(t.Context(), dswarm.NodeListOptions{})
			if err != nil || len(nodes) != 1 {
				t.Fatalf("%d nodes, %v", len(nodes), err)
			}

			n := nodes[0]
			if n.Status.State != dswarm.NodeStateReady || n.Spec.Availability != dswarm.NodeAvailabilityActive ||
				n.Spec.Role != dswarm.NodeRoleManager || n.ManagerStatus == nil || !n.ManagerStatus.Leader ||
				n.Description.Platform.OS != "linux" || n.Description.Resources.NanoCPUs == 0 {
				t.Errorf("the only node looks like %+v", n)
			}
		},
	},
}
