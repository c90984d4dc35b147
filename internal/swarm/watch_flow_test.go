package swarm_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	dockerswarm "github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestRunningIsSeenAtOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		id, err := b.engine.CreateService(b.Context(), spec(o, "", 1), "")
		if err != nil {
			b.Fatal(err)
		}

		var behind time.Duration
		for range 20_000 {
			b.engine.Converging(id)
			b.after(time.Millisecond)

			tasks, err := b.admin.TaskList(b.Context(), dockerswarm.TaskListOptions{})
			if err != nil {
				b.Fatal(err)
			}
			if len(tasks) == 0 || tasks[0].Status.State != dockerswarm.TaskStateRunning {
				continue
			}
			if w := b.look(o); len(w.Tasks) == 1 && w.Tasks[0].Running() && w.Tasks[0].Current && w.TasksFresh && !w.Uncertain {
				break
			}
			behind += time.Millisecond
		}

		if behind > 15*time.Millisecond {
			b.Errorf("behind the engine: got %s, want at most 15 ms", behind)
		}
		if !b.hinted(o) {
			b.Error("the owner was not told")
		}
	})
}

func TestWatchingCostsLittle(t *testing.T) {
	stuck := func(b *bubble) (swarmobj.Owner, string) {
		o := newOwner(b.T)
		s := spec(o, "", 1)
		s.TaskTemplate.Placement = &dockerswarm.Placement{Constraints: []string{"node.labels.none==such"}}
		id, err := b.engine.CreateService(b.Context(), s, "")
		if err != nil {
			b.Fatal(err)
		}
		b.after(10 * time.Second)

		return o, id
	}

	inBubble(t, func(b *bubble) {
		_, id := stuck(b)

		n := 0
		for range 60 {
			b.engine.Converging(id)
			n += b.during(time.Second)["TaskList"]
		}
		if n > 60*2 {
			b.Errorf("task lists in a minute of waiting for something that does not happen: got %d, want at most 2 a second", n)
		}

		b.after(10 * time.Second)
		if n := b.during(time.Minute)["TaskList"]; n > 3 {
			b.Errorf("task lists in a minute after everybody stopped waiting: got %d, want at most 3", n)
		}
	})
}

func TestIdleCostsLittle(t *testing.T) {
	inBubble(t, func(b *bubble) {
		for range 10 {
			b.create(newOwner(b.T), 2)
		}
		b.after(time.Minute)

		n := b.during(10 * time.Minute)
		if total(n) > 10*45 {
			b.Errorf("calls in ten idle minutes: got %v, %d in all, want at most 45 a minute", n, total(n))
		}
		if n := len(b.client.Writes()); n != 10 {
			b.Errorf("writes: got %d, want the 10 creates", n)
		}
	})
}

func TestTaskThatEndsElsewhereIsSeenByCounting(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		b.cluster.AddImage(fake.Image{Ref: "dogker.test/app:dies", ID: "sha256:2", Behaviour: fake.Behaviour{
			Exits: true, ExitCode: 3, After: 5 * time.Minute,
		}})
		s := spec(o, "", 1)
		s.TaskTemplate.ContainerSpec.Image = "dogker.test/app:dies"
		if _, err := b.engine.CreateService(b.Context(), s, ""); err != nil {
			b.Fatal(err)
		}
		b.cluster.DropEvents(func(events.Message) bool { return true })
		b.after(4 * time.Minute)
		b.hinted(o)

		b.after(time.Minute + 5*time.Second)
		failed := false
		for _, task := range b.look(o).Tasks {
			failed = failed || task.State == dockerswarm.TaskStateFailed && task.ExitCode == 3
		}
		if !failed || !b.hinted(o) {
			b.Errorf("tasks: got %+v, want one that failed with code 3, and the owner told", b.look(o).Tasks)
		}
	})
}

// TestEndIsNamed is about ends of which the task itself says nothing, or not enough.
func TestEndIsNamed(t *testing.T) {
	oomed := func(t swarmobj.Task) bool { return t.OOMKilled }
	unhealthy := func(t swarmobj.Task) bool { return t.Unhealthy }

	for name, tc := range map[string]struct {
		reason    string
		behaviour fake.Behaviour
		drop      func(events.Message) bool
		named     func(swarmobj.Task) bool
	}{
		"OOMKillByEvent": {
			reason: "The kernel's kill looks like any other.", named: oomed,
			behaviour: fake.Behaviour{OOM: true, After: time.Minute},
		},
		"OOMKillByInspection": {
			reason: "The container tells when the event was lost.", named: oomed,
			behaviour: fake.Behaviour{OOM: true, After: time.Minute},
			drop:      func(m events.Message) bool { return m.Action == events.ActionOOM },
		},
		"UnhealthyByEvent": {
			reason: "A process that obeys the signal ends well, and its task has completed.", named: unhealthy,
			behaviour: fake.Behaviour{Unhealthy: true},
		},
		"UnhealthyByInspection": {
			reason: "The container tells when the event was lost.", named: unhealthy,
			behaviour: fake.Behaviour{Unhealthy: true},
			drop:      func(m events.Message) bool { return m.Action == events.ActionHealthStatusUnhealthy },
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.cluster.DropEvents(tc.drop)
				b.cluster.AddImage(fake.Image{Ref: "dogker.test/app:ends", ID: "sha256:2", Behaviour: tc.behaviour})
				s := spec(o, "", 1)
				s.TaskTemplate.ContainerSpec.Image = "dogker.test/app:ends"
				s.TaskTemplate.ContainerSpec.Healthcheck = &container.HealthConfig{Test: []string{"CMD", "/app", "-check"}, Interval: 5 * time.Second}
				if _, err := b.engine.CreateService(b.Context(), s, ""); err != nil {
					b.Fatal(err)
				}
				b.after(time.Minute + 10*time.Second)

				if tasks := b.look(o).Tasks; !slices.ContainsFunc(tasks, tc.named) {
					b.Errorf("tasks: got %+v, want one whose end is named: %s", tasks, tc.reason)
				}
			})
		})
	}
}

func TestTasksThatAListLeftOutAreFound(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
			if tasks, ok := call.Answer.(*[]dockerswarm.Task); ok && phase == fake.After {
				*tasks = nil
			}
			return nil
		})
		b.create(o, 1)
		b.setHook(nil)

		// Nothing happens to the service any more; only the count of its running tasks does not fit.
		b.after(3 * time.Second)
		if w := b.look(o); len(w.Tasks) != 1 || !w.Tasks[0].Running() {
			b.Errorf("tasks: got %+v, want the one that runs", w.Tasks)
		}
	})
}

func TestOneVanishedServiceDoesNotBlindTheOthers(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o, other := newOwner(b.T), newOwner(b.T)
		b.cluster.DropEvents(func(events.Message) bool { return true })
		id := b.create(o, 0)
		if err := b.admin.ServiceRemove(b.Context(), id); err != nil {
			b.Fatal(err)
		}

		// Lists would find it out as well, later.
		b.setHook(func(_ context.Context, call fake.Call, _ fake.Phase) error {
			if call.Op == "ServiceList" {
				return fake.ErrDeadline()
			}
			return nil
		})

		made, err := b.engine.CreateService(b.Context(), spec(other, "", 1), "")
		if err != nil {
			b.Fatal(err)
		}
		for range 50 {
			b.engine.Converging(id)
			b.engine.Converging(made)
			b.after(20 * time.Millisecond)
		}
		if w := b.look(other); len(w.Tasks) != 1 || !w.Tasks[0].Running() {
			b.Errorf("tasks: got %+v, want one that runs", w.Tasks)
		}
		if w := b.look(o); w.Service != nil {
			b.Error("a service that the engine does not know is still shown")
		}
	})
}

func TestNetworkWaitsForTasks(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		netID, err := b.engine.CreateNetwork(b.Context(), o.Tenant)
		if err != nil {
			b.Fatal(err)
		}
		id, err := b.engine.CreateService(b.Context(), spec(o, netID, 3), "")
		if err != nil {
			b.Fatal(err)
		}
		b.after(5 * time.Second)
		if err := b.engine.RemoveNetwork(b.Context(), o.Tenant); !errors.Is(err, swarmobj.ErrInUse) {
			b.Errorf("remove under a service: got %v, want ErrInUse", err)
		}
		if err := b.engine.RemoveService(b.Context(), id, o); err != nil {
			b.Fatal(err)
		}
		if err := b.engine.RemoveNetwork(b.Context(), o.Tenant); !errors.Is(err, swarmobj.ErrInUse) {
			b.Errorf("remove under stopping tasks: got %v, want ErrInUse", err)
		}

		b.after(30 * time.Second)
		if err := b.engine.RemoveNetwork(b.Context(), o.Tenant); err != nil {
			b.Errorf("remove when all is gone: %v", err)
		}
		if n := b.cluster.LeakedAddresses(); n != 0 {
			b.Errorf("leaked addresses: got %d, want none", n)
		}
		if err := b.engine.RemoveNetwork(b.Context(), o.Tenant); err != nil {
			b.Errorf("remove again: %v", err)
		}
	})
}

func TestRemovalsAskWhoseItIs(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o, other := newOwner(b.T), newOwner(b.T)
		id := withEverything(b.T, b.engine, o)
		secret := b.look(o).Secrets[o.Tenant+"_s"].ID

		if err := b.engine.RemoveService(b.Context(), id, other); err != nil {
			b.Error(err)
		}
		if b.look(o).Service == nil {
			b.Error("somebody else's service was removed")
		}

		foreign, err := b.admin.SecretCreate(b.Context(), dockerswarm.SecretSpec{Annotations: dockerswarm.Annotations{Name: "theirs"}, Data: []byte("x")})
		if err != nil {
			b.Fatal(err)
		}
		if err := b.engine.RemoveSecret(b.Context(), foreign.ID); err != nil {
			b.Error(err)
		}
		if _, _, err := b.admin.SecretInspectWithRaw(b.Context(), foreign.ID); err != nil {
			b.Errorf("a secret that is not ours was removed: %v", err)
		}

		if err := b.engine.RemoveSecret(b.Context(), secret); err != nil {
			b.Error(err)
		}
		if err := b.engine.RemoveSecret(b.Context(), secret); err != nil {
			b.Errorf("remove again: %v", err)
		}
	})
}

func TestContentWhoseNameIsTaken(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		ours := dockerswarm.SecretSpec{Annotations: dockerswarm.Annotations{Name: "ours", Labels: o.Labels()}, Data: []byte("x")}
		theirs := dockerswarm.SecretSpec{Annotations: dockerswarm.Annotations{Name: "theirs"}, Data: []byte("x")}
		for _, s := range []dockerswarm.SecretSpec{ours, theirs} {
			if _, err := b.admin.SecretCreate(context.Background(), s); err != nil {
				b.Fatal(err)
			}
		}

		if _, err := b.engine.CreateSecret(b.Context(), ours); !errors.Is(err, swarmobj.ErrExists) {
			b.Errorf("one of ours: got %v, want ErrExists", err)
		}
		if _, known := b.look(o).Secrets["ours"]; !known {
			b.Error("the secret that exists is not shown, so the next pass would create it again")
		}

		theirs.Labels = o.Labels()
		if _, err := b.engine.CreateSecret(b.Context(), theirs); !errors.Is(err, swarmobj.ErrRefused) {
			b.Errorf("somebody else's: got %v, want ErrRefused", err)
		}
	})
}
