package swarm_test

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	dockerswarm "github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// event is what an engine says of the container of a task.
func event(service, task string, action events.Action) events.Message {
	return events.Message{Type: events.ContainerEventType, Action: action, Actor: events.Actor{Attributes: map[string]string{
		"com.docker.swarm.service.id": service, "com.docker.swarm.task.id": task,
	}}}
}

// TestHeard: what an agent tells is as good as what the connected engine does, for tasks of its own node.
func TestHeard(t *testing.T) {
	for name, tc := range map[string]struct {
		reason         string
		node           func(own string) string
		action         events.Action
		oom, unhealthy bool
	}{
		"OOM":       {"Nobody else knows why it ended.", func(own string) string { return own }, events.ActionOOM, true, false},
		"Unhealthy": {"Nor this.", func(own string) string { return own }, events.ActionHealthStatusUnhealthy, false, true},
		"Start":     {"That it lives is no fate.", func(own string) string { return own }, events.ActionStart, false, false},
		"Elsewhere": {"An agent must not be able to lie about tasks of other nodes.", func(string) string { return "other" }, events.ActionOOM, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(t)
				id := b.create(o, 1)
				task := b.look(o).Tasks[0]
				b.hinted(o)
				before := b.calls()["TaskList"]

				b.engine.Heard(tc.node(task.NodeID), event(id, task.ID, tc.action))
				b.after(time.Second)

				got := b.look(o).Tasks[0]
				if got.OOMKilled != tc.oom || got.Unhealthy != tc.unhealthy {
					t.Errorf("OOMKilled %v, Unhealthy %v; want %v, %v. %s", got.OOMKilled, got.Unhealthy, tc.oom, tc.unhealthy, tc.reason)
				}
				if told := b.hinted(o); told != (tc.oom || tc.unhealthy) {
					t.Errorf("owner was told: %v", told)
				}
				if b.calls()["TaskList"] == before {
					t.Error("tasks are not read again")
				}
			})
		})
	}
}

// TestHeardBeforeListed: a task may end before the list that shows it has come.
func TestHeardBeforeListed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(t)
		id := b.create(o, 1)
		service, _, err := b.admin.ServiceInspectWithRaw(t.Context(), id, dockerswarm.ServiceInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		two := uint64(2)
		service.Spec.Mode.Replicated.Replicas = &two
		if _, err := b.admin.ServiceUpdate(t.Context(), id, service.Version, service.Spec, dockerswarm.ServiceUpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		var tasks []dockerswarm.Task
		for len(tasks) < 2 {
			time.Sleep(time.Microsecond) // Less than the adapter takes to list anything.
			if tasks, err = b.admin.TaskList(t.Context(), dockerswarm.TaskListOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, task := range tasks {
			b.engine.Heard(task.NodeID, event(id, task.ID, events.ActionOOM))
		}
		b.after(time.Minute)

		for _, task := range b.look(o).Tasks {
			if !task.OOMKilled {
				t.Errorf("task of slot %d: it is not known that it was killed", task.Slot)
			}
		}
	})
}

func TestSubject(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(t)
		id := b.create(o, 1)
		task := b.look(o).Tasks[0]

		want := telemetry.Subject{
			Owner: o, Pod: swarmobj.PodName(o, 1, task.NodeID, task.ID), Task: task.ID, Service: id, Node: task.NodeID, Slot: 1,
		}
		got, known := b.engine.Subject(id, task.ID)
		if diff := cmp.Diff(want, got); !known || diff != "" {
			t.Errorf("known %v (-want +got):\n%s", known, diff)
		}
		if _, known := b.engine.Subject(id, "unseen"); known {
			t.Error("a task that was not listed is known")
		}
		if _, known := b.engine.Subject("unseen", task.ID); known {
			t.Error("a service that was not listed is known")
		}

		foreign, err := b.admin.ServiceCreate(t.Context(), dockerswarm.ServiceSpec{
			Annotations:  dockerswarm.Annotations{Name: "theirs"},
			TaskTemplate: dockerswarm.TaskSpec{ContainerSpec: &dockerswarm.ContainerSpec{Image: testImage}},
		}, dockerswarm.ServiceCreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b.after(time.Minute)
		if got, known := b.engine.Subject(foreign.ID, "any"); !known || got != (telemetry.Subject{}) {
			t.Errorf("task of a service that is not ours: %+v, %v, want that it is nobody's", got, known)
		}
		if own := b.engine.OwnNode(); own != task.NodeID {
			t.Errorf("own node: got %q, want %q", own, task.NodeID)
		}
	})
}
