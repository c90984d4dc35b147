package swarm_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/network"
	dockerswarm "github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestLookFailsBeforeTheSwarmWasSeen(t *testing.T) {
	e := swarm.New(fake.NewCluster(fake.Options{}).Admin(), swarm.Options{})

	if _, err := e.Look(t.Context(), newOwner(t)); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("look: got %v, want ErrUnavailable: an engine that was not asked is no empty engine", err)
	}
	if _, err := e.Inventory(t.Context()); !errors.Is(err, swarmobj.ErrUnavailable) {
		t.Errorf("inventory: got %v, want ErrUnavailable", err)
	}
}

func TestLookWaitsForTheFirstAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		down   error
		want   error
	}{
		"Swarm":    {"A start is no outage: nobody is told that nothing is known.", nil, nil},
		"NoEngine": {"That there is no engine is an answer.", fake.ErrConnection(), swarmobj.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := fake.NewCluster(fake.Options{})
				cluster.SetDown(tc.down)
				e := swarm.New(cluster.Client(fake.ClientOptions{Latency: 50 * time.Millisecond}), swarm.Options{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() { _ = e.Run(ctx) }()
				synctest.Wait()

				began := time.Now()
				if _, err := e.Look(ctx, newOwner(t)); !errors.Is(err, tc.want) {
					t.Errorf("%s\nlook: got %v, want %v", tc.reason, err, tc.want)
				}
				if waited := time.Since(began); waited > time.Second {
					t.Errorf("%s\nwaited %s", tc.reason, waited)
				}
			})
		})
	}
}

func TestOwnWriteIsShownAtOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		before := b.calls()

		id, err := b.engine.CreateService(b.Context(), spec(o, "", 0), "")
		if err != nil {
			b.Fatal(err)
		}

		w := b.look(o)
		if w.Service == nil || w.Service.ID != id || !w.Uncertain {
			b.Errorf("after the create: got %+v, uncertain %v, want the service as sent", w.Service, w.Uncertain)
		}
		after := b.calls()
		delete(after, "TaskList") // Watching what comes of the write has begun, or has not yet.
		for op, n := range after {
			if want := before[op] + map[string]int{"ServiceCreate": 1}[op]; n != want {
				b.Errorf("calls of %s after a create: got %d, want %d: nothing is inspected on the way", op, n, want)
			}
		}

		b.after(100 * time.Millisecond)
		if w = b.look(o); w.Uncertain || w.Service.Version.Index == 0 {
			b.Errorf("a moment later: uncertain %v, version %d, want it read", w.Uncertain, w.Service.Version.Index)
		}

		live := *w.Service
		if err := b.engine.UpdateService(b.Context(), live, spec(o, "", 3), ""); err != nil {
			b.Fatal(err)
		}
		if w = b.look(o); replicas(w) != 3 || !w.Uncertain {
			b.Errorf("after the update: replicas %d, uncertain %v, want 3 and true", replicas(w), w.Uncertain)
		}
	})
}

func TestUpdateRightAfterACreateReadsTheVersionOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		if _, err := b.engine.CreateService(b.Context(), spec(o, "", 0), ""); err != nil {
			b.Fatal(err)
		}

		if err := b.engine.UpdateService(b.Context(), *b.look(o).Service, spec(o, "", 1), ""); err != nil {
			b.Fatal(err)
		}
		if n := b.calls()["ServiceInspectWithRaw"]; n != 1 {
			b.Errorf("inspections: got %d, want 1", n)
		}
	})
}

func TestUpdateRightAfterACreateSeesAStranger(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		id, err := b.engine.CreateService(b.Context(), spec(o, "", 0), "")
		if err != nil {
			b.Fatal(err)
		}
		seen := *b.look(o).Service
		b.edit(id, scaledTo(7))

		if err := b.engine.UpdateService(b.Context(), seen, spec(o, "", 1), ""); !errors.Is(err, swarmobj.ErrStale) {
			b.Errorf("update: got %v, want ErrStale", err)
		}
		if w := b.look(o); replicas(w) != 7 {
			b.Errorf("replicas: got %d, want 7, so that the next pass sees what is there", replicas(w))
		}
	})
}

func TestStaleUpdateIsLearnedFrom(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		id := b.create(o, 0)
		seen := *b.look(o).Service
		b.cluster.DropEvents(func(events.Message) bool { return true })
		b.edit(id, scaledTo(7))

		if err := b.engine.UpdateService(b.Context(), seen, spec(o, "", 1), ""); !errors.Is(err, swarmobj.ErrStale) {
			b.Errorf("update: got %v, want ErrStale", err)
		}
		if w := b.look(o); replicas(w) != 7 {
			b.Errorf("replicas: got %d, want 7", replicas(w))
		}
	})
}

func TestDriftIsSeen(t *testing.T) {
	lost := func(events.Message) bool { return true }

	for name, tc := range drifts {
		for how, way := range map[string]struct {
			reason string
			drop   func(events.Message) bool
			within time.Duration
		}{
			"ByEvent":       {"An event is there to be quick.", nil, 100 * time.Millisecond},
			"WithoutEvents": {"Events are hints: the lists alone are enough.", lost, 35 * time.Second},
		} {
			t.Run(name+how, func(t *testing.T) {
				inBubble(t, func(b *bubble) {
					o := newOwner(b.T)
					id := withEverything(b.T, b.engine, o)
					b.after(10 * time.Second)
					b.cluster.DropEvents(way.drop)
					b.hinted(o)

					if err := tc.do(b.T, b.admin, o, id); err != nil {
						b.Fatal(err)
					}
					b.after(way.within)

					if w := b.look(o); !tc.seen(w) {
						b.Errorf("%s\nnot seen within %s: %+v", way.reason, way.within, w)
					}
					if !b.hinted(o) {
						b.Errorf("%s\nthe owner was not told", way.reason)
					}
				})
			})
		}
	}
}

func TestOldAnswersChangeNothing(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		id := b.create(o, 1)

		old, err := b.admin.ServiceList(b.Context(), dockerswarm.ServiceListOptions{Status: true})
		if err != nil {
			b.Fatal(err)
		}
		b.setHook(answerWith(func(list *[]dockerswarm.Service) { *list = slices.Clone(old) }))

		if err := b.engine.UpdateService(b.Context(), *b.look(o).Service, spec(o, "", 5), ""); err != nil {
			b.Fatal(err)
		}
		for range 10 {
			b.after(3 * time.Second)
			if w := b.look(o); replicas(w) != 5 {
				b.Fatalf("replicas: got %d, want 5: a list from before the write was believed", replicas(w))
			}
		}

		if err := b.engine.RemoveService(b.Context(), id, o); err != nil {
			b.Fatal(err)
		}
		for range 3000 {
			b.after(time.Millisecond)
			if w := b.look(o); w.Service != nil {
				b.Fatal("a list from before the removal brought the service back")
			}
		}
	})
}

// moby#30794: a read right after a write may show what was before it.
func TestReadsBehindOurOwnWriteAreNotBelieved(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		id := b.create(o, 1)
		old, _, err := b.admin.ServiceInspectWithRaw(b.Context(), id, dockerswarm.ServiceInspectOptions{})
		if err != nil {
			b.Fatal(err)
		}
		b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
			switch answer := call.Answer.(type) {
			case *[]dockerswarm.Service:
				*answer = []dockerswarm.Service{old}
			case *dockerswarm.Service:
				*answer = old
			}
			return nil
		})

		if err := b.engine.UpdateService(b.Context(), *b.look(o).Service, spec(o, "", 3), ""); err != nil {
			b.Fatal(err)
		}
		for range 50 {
			b.after(100 * time.Millisecond)
			if w := b.look(o); replicas(w) != 3 || !w.Uncertain {
				b.Fatalf("replicas %d, uncertain %v: an answer from before the write was believed", replicas(w), w.Uncertain)
			}
		}

		b.setHook(nil)
		b.after(3 * time.Second)
		if w := b.look(o); replicas(w) != 3 || w.Uncertain {
			b.Errorf("replicas %d, uncertain %v, want 3 and false once the engine shows the write", replicas(w), w.Uncertain)
		}
	})
}

// answerWith changes every list of services.
func answerWith(change func(*[]dockerswarm.Service)) fake.Hook {
	return func(_ context.Context, call fake.Call, phase fake.Phase) error {
		if list, ok := call.Answer.(*[]dockerswarm.Service); ok && phase == fake.After && call.Op == "ServiceList" {
			change(list)
		}

		return nil
	}
}

func TestPartialListsRemoveNothing(t *testing.T) {
	for name, cut := range map[string]func(*[]dockerswarm.Service){
		"Empty": func(list *[]dockerswarm.Service) { *list = nil },
		"Half":  func(list *[]dockerswarm.Service) { *list = (*list)[:len(*list)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				var all []swarmobj.Owner
				for range 20 {
					o := newOwner(b.T)
					b.create(o, 0)
					all = append(all, o)
				}
				before := b.calls()["ServiceInspectWithRaw"]
				b.setHook(answerWith(cut))

				for range 20 {
					b.after(3 * time.Second)
					for _, o := range all {
						if w, err := b.engine.Look(b.Context(), o); err == nil && w.Service == nil {
							b.Fatalf("service of %q is gone from the cache because a list left it out", o.Tenant)
						}
					}
				}
				if n := b.calls()["ServiceInspectWithRaw"] - before; n > 120 {
					b.Errorf("inspections in a minute of partial lists: got %d, want at most 120", n)
				}
			})
		})
	}
}

func TestManyRemovalsAreAllSeen(t *testing.T) {
	inBubble(t, func(b *bubble) {
		var all []swarmobj.Owner
		var ids []string
		for range 300 {
			o := newOwner(b.T)
			id, err := b.engine.CreateService(b.Context(), spec(o, "", 0), "")
			if err != nil {
				b.Fatal(err)
			}
			all, ids = append(all, o), append(ids, id)
		}
		b.after(10 * time.Second)

		for _, id := range ids {
			if err := b.admin.ServiceRemove(b.Context(), id); err != nil {
				b.Fatal(err)
			}
		}
		b.after(5 * time.Second)

		for _, o := range all {
			if w := b.look(o); w.Service != nil {
				b.Fatalf("service of %q is still shown", o.Tenant)
			}
		}
	})
}

func TestForeignServicesAreKnownAndNotOurs(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)

		foreign := spec(o, "", 0)
		foreign.Labels = nil
		foreign.EndpointSpec = &dockerswarm.EndpointSpec{Ports: []dockerswarm.PortConfig{{TargetPort: 80, PublishedPort: 8080}}}
		made, err := b.admin.ServiceCreate(b.Context(), foreign, dockerswarm.ServiceCreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := b.admin.NetworkCreate(b.Context(), swarmobj.NetworkName(o.Tenant), network.CreateOptions{Driver: "overlay", Scope: "swarm"}); err != nil {
			b.Fatal(err)
		}
		b.after(time.Second)

		w := b.look(o)
		if w.Service != nil || w.Squatter == nil || w.Squatter.Spec.Name != foreign.Name {
			b.Errorf("service %+v, squatter %+v, want only a squatter", w.Service, w.Squatter)
		}
		if w.Network != nil || !w.NetworkSquatter {
			b.Errorf("network %+v, squatted %v, want only a squatter", w.Network, w.NetworkSquatter)
		}

		port := dockerswarm.PortConfig{PublishedPort: 8080, PublishMode: dockerswarm.PortConfigPublishModeHost}
		if holder, taken := b.engine.PortHolder(port.PublishMode, port, ""); !taken || holder != (swarmobj.Owner{}) {
			b.Errorf("port holder: got %+v, %v, want somebody who is not ours", holder, taken)
		}
		if _, taken := b.engine.PortHolder(port.PublishMode, port, made.ID); taken {
			b.Error("a service holds its port against itself")
		}

		if err := b.engine.RemoveService(b.Context(), made.ID, o); err != nil {
			b.Error(err)
		}
		if err := b.engine.RemoveNetwork(b.Context(), o.Tenant); err != nil {
			b.Error(err)
		}
		if n := len(b.client.Writes()); n != 0 {
			b.Errorf("writes: got %d, want none to what is not ours", n)
		}

		b.hinted(o)
		if err := b.admin.ServiceRemove(b.Context(), made.ID); err != nil {
			b.Fatal(err)
		}
		b.after(time.Second)
		if !b.hinted(o) {
			b.Error("the owner that waits for the name was not told that it is free")
		}
	})
}
