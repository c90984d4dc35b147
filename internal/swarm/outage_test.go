package swarm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types"
	dockerswarm "github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestEngineThatCannotBeAsked(t *testing.T) {
	cases := map[string]struct {
		reason string
		down   error
		want   error
	}{
		"NoAnswer":   {"An engine that does not answer is no empty swarm.", fake.ErrConnection(), swarmobj.ErrUnavailable},
		"NoLeader":   {"A swarm without a leader answers errors.", fake.ErrNoLeader(), swarmobj.ErrNoLeader},
		"NotManager": {"A demoted manager answers errors.", fake.ErrNotManager(), swarmobj.ErrNotManager},
		"Inactive":   {"An engine that left the swarm answers errors.", fake.ErrInactive(), swarmobj.ErrInactive},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.create(o, 2)
				writes := len(b.client.Writes())
				b.hinted(o)

				b.cluster.SetDown(tc.down)
				b.after(20 * time.Second)
				if _, err := b.engine.Look(b.Context(), o); !errors.Is(err, tc.want) {
					b.Errorf("%s\nlook: got %v, want %v", tc.reason, err, tc.want)
				}
				if !b.hinted(o) {
					b.Errorf("%s\nthe owner was not told that nothing is known", tc.reason)
				}
				if n := b.during(time.Minute); total(n) > 60 {
					b.Errorf("%s\ncalls in a minute without an engine: got %v, want at most 60", tc.reason, n)
				}

				b.cluster.SetDown(nil)
				b.after(6 * time.Second)
				if w := b.look(o); w.Service == nil || len(w.Tasks) < 2 {
					b.Errorf("%s\nafter the return: got %+v", tc.reason, w)
				}
				if !b.hinted(o) {
					b.Errorf("%s\nthe owner was not told that the engine is back", tc.reason)
				}
				if n := len(b.client.Writes()) - writes; n != 0 {
					b.Errorf("%s\nwrites: got %d, want none", tc.reason, n)
				}
			})
		})
	}
}

func total(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}

	return n
}

func TestOneFailedCallIsNoOutage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		b.create(o, 1)

		failed := 0
		b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
			if call.Op == "ServiceList" && phase == fake.Before && failed < 3 {
				failed++
				return fake.ErrConnection()
			}
			return nil
		})

		for range 100 {
			b.after(200 * time.Millisecond)
			b.look(o)
		}
		if failed != 3 {
			b.Errorf("failed lists: got %d, want 3", failed)
		}
	})
}

func TestListsThatAlwaysFailEndInDoubt(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		b.create(o, 1)
		b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
			if call.Op == "ServiceList" && phase == fake.Before {
				return fake.ErrDeadline()
			}
			return nil
		})

		b.after(3 * time.Minute)
		if _, err := b.engine.Look(b.Context(), o); !errors.Is(err, swarmobj.ErrUnavailable) {
			b.Errorf("look: got %v, want ErrUnavailable: what was known minutes ago is not known", err)
		}
	})
}

func TestEngineThatIsNotFit(t *testing.T) {
	cases := map[string]struct {
		reason string
		answer func(answer any)
		want   error
		says   string
	}{
		"Worker": {
			reason: "A worker runs containers and knows nothing of services.",
			answer: func(answer any) {
				if info, ok := answer.(*system.Info); ok {
					info.Swarm.ControlAvailable = false
				}
			},
			want: swarmobj.ErrNotManager,
		},
		"NoSwarm": {
			reason: "Docker alone is no Swarm.",
			answer: func(answer any) {
				if info, ok := answer.(*system.Info); ok {
					info.Swarm = dockerswarm.Info{LocalNodeState: dockerswarm.LocalNodeStateInactive}
				}
			},
			want: swarmobj.ErrInactive,
		},
		"Locked": {
			reason: "A locked swarm is none until somebody unlocks it, and the state says so.",
			answer: func(answer any) {
				if info, ok := answer.(*system.Info); ok {
					info.Swarm = dockerswarm.Info{LocalNodeState: dockerswarm.LocalNodeStateLocked}
				}
			},
			want: swarmobj.ErrInactive, says: "locked",
		},
		"TooOld": {
			reason: "An engine before 20.10 lacks what Dogker uses; the person who can help is told which version it takes.",
			answer: func(answer any) {
				if ping, ok := answer.(*types.Ping); ok {
					ping.APIVersion = "1.40"
				}
			},
			want: swarmobj.ErrUnavailable, says: "it speaks API 1.40, and Dogker needs 1.41",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
					if phase == fake.After {
						tc.answer(call.Answer)
					}
					return nil
				})
				b.cluster.SetDown(fake.ErrConnection())
				b.after(time.Second)
				b.cluster.SetDown(nil)
				b.after(6 * time.Second)

				err := b.engine.State()
				if !errors.Is(err, tc.want) || !strings.Contains(fmt.Sprint(err), tc.says) {
					b.Errorf("%s\nstate: got %v, want %v that says %q", tc.reason, err, tc.want, tc.says)
				}
			})
		})
	}
}

// lostAnswer makes the first write of the kind lose its answer, after it was done or without.
func lostAnswer(op string, done bool) fake.Hook {
	lost := false

	return func(_ context.Context, call fake.Call, phase fake.Phase) error {
		at := fake.Before
		if done {
			at = fake.After
		}
		if call.Op != op || phase != at || lost {
			return nil
		}
		lost = true

		return context.DeadlineExceeded
	}
}

func TestWriteWithoutAnAnswerIsLookedUp(t *testing.T) {
	for name, done := range map[string]bool{"Done": true, "NotDone": false} {
		t.Run("Create"+name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.setHook(lostAnswer("ServiceCreate", done))

				_, err := b.engine.CreateService(b.Context(), spec(o, "", 0), "")
				if !errors.Is(err, swarmobj.ErrUnknownOutcome) {
					b.Fatalf("create: got %v, want ErrUnknownOutcome", err)
				}
				if w := b.look(o); (w.Service != nil) != done {
					b.Errorf("service: got %v, want it to be there: %v", w.Service, done)
				}
			})
		})
		t.Run("Update"+name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.create(o, 1)
				b.setHook(lostAnswer("ServiceUpdate", done))

				err := b.engine.UpdateService(b.Context(), *b.look(o).Service, spec(o, "", 2), "")
				if !errors.Is(err, swarmobj.ErrUnknownOutcome) {
					b.Fatalf("update: got %v, want ErrUnknownOutcome", err)
				}
				if w := b.look(o); (replicas(w) == 2) != done {
					b.Errorf("replicas: got %d, want the update to be there: %v", replicas(w), done)
				}
			})
		})
		t.Run("Remove"+name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				id := b.create(o, 1)
				b.setHook(lostAnswer("ServiceRemove", done))

				err := b.engine.RemoveService(b.Context(), id, o)
				if !errors.Is(err, swarmobj.ErrUnknownOutcome) {
					b.Fatalf("remove: got %v, want ErrUnknownOutcome", err)
				}
				if w := b.look(o); (w.Service == nil) != done {
					b.Errorf("service: got %v, want it to be gone: %v", w.Service, done)
				}
			})
		})
		t.Run("Secret"+name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.setHook(lostAnswer("SecretCreate", done))

				_, err := b.engine.CreateSecret(b.Context(), dockerswarm.SecretSpec{
					Annotations: dockerswarm.Annotations{Name: "s", Labels: o.Labels()}, Data: []byte("x"),
				})
				if !errors.Is(err, swarmobj.ErrUnknownOutcome) {
					b.Fatalf("create: got %v, want ErrUnknownOutcome", err)
				}
				if w := b.look(o); (len(w.Secrets) == 1) != done {
					b.Errorf("secrets: got %v, want it to be there: %v", w.Secrets, done)
				}
			})
		})
		t.Run("Network"+name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				o := newOwner(b.T)
				b.setHook(lostAnswer("NetworkCreate", done))

				if _, err := b.engine.CreateNetwork(b.Context(), o.Tenant); !errors.Is(err, swarmobj.ErrUnknownOutcome) {
					b.Fatalf("create: got %v, want ErrUnknownOutcome", err)
				}
				if w := b.look(o); (w.Network != nil) != done {
					b.Errorf("network: got %v, want it to be there: %v", w.Network, done)
				}
			})
		})
	}
}

func TestNothingIsWrittenWhileAnOutcomeIsUnknown(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o, other := newOwner(b.T), newOwner(b.T)
		b.setHook(func(_ context.Context, call fake.Call, _ fake.Phase) error {
			if call.Op == "ServiceCreate" || call.Op == "ServiceInspectWithRaw" {
				return context.DeadlineExceeded
			}
			return nil
		})
		if _, err := b.engine.CreateService(b.Context(), spec(o, "", 0), ""); !errors.Is(err, swarmobj.ErrUnknownOutcome) {
			b.Fatalf("create: got %v, want ErrUnknownOutcome", err)
		}
		writes := len(b.client.Writes())

		_, looking := b.engine.Look(b.Context(), o)
		_, creating := b.engine.CreateNetwork(b.Context(), o.Tenant)
		if !errors.Is(looking, swarmobj.ErrUnknownOutcome) || !errors.Is(creating, swarmobj.ErrUnknownOutcome) {
			b.Errorf("look: %v, create: %v, want ErrUnknownOutcome from both", looking, creating)
		}
		if n := len(b.client.Writes()) - writes; n != 0 {
			b.Errorf("writes: got %d, want none", n)
		}

		if _, err := b.engine.CreateNetwork(b.Context(), other.Tenant); err != nil {
			b.Errorf("another tenant is held up: %v", err)
		}
	})
}

// S6 of the reliability notes: the engine does what it was asked after the client has given up.
func TestCreateThatHappensLater(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		first := true
		b.setHook(func(_ context.Context, call fake.Call, phase fake.Phase) error {
			if call.Op == "ServiceCreate" && phase == fake.Before && first {
				first = false
				return &fake.Later{After: 5 * time.Second, Answer: context.DeadlineExceeded}
			}
			return nil
		})

		if _, err := b.engine.CreateService(b.Context(), spec(o, "", 0), ""); !errors.Is(err, swarmobj.ErrUnknownOutcome) {
			b.Fatalf("create: got %v, want ErrUnknownOutcome", err)
		}
		if w := b.look(o); w.Service != nil {
			b.Fatalf("service: got %+v, want none yet", w.Service)
		}

		b.hinted(o)
		b.after(6 * time.Second)
		if w := b.look(o); w.Service == nil || len(w.Duplicates) != 0 {
			b.Errorf("service: got %+v and duplicates %v, want the one that came late", w.Service, w.Duplicates)
		}
		if !b.hinted(o) {
			b.Error("the owner was not told")
		}
	})
}

func TestWritesAreBounded(t *testing.T) {
	inBubble(t, func(b *bubble) {
		hang := make(chan struct{})
		b.setHook(func(ctx context.Context, call fake.Call, phase fake.Phase) error {
			if !call.Write || phase != fake.Before {
				return nil
			}
			select {
			case <-hang:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})

		const writers = 30
		errs := make(chan error, writers)
		for range writers {
			o := newOwner(b.T)
			go func() {
				_, err := b.engine.CreateService(b.Context(), spec(o, "", 0), "")
				errs <- err
			}()
		}

		b.after(time.Second)
		if n := len(b.client.Writes()); n != 8 {
			b.Errorf("writes in flight: got %d, want 8", n)
		}
		b.look(newOwner(b.T)) // Reading goes on.

		b.after(30 * time.Second)
		close(hang)
		unknown := 0
		for range writers {
			if errors.Is(<-errs, swarmobj.ErrUnknownOutcome) {
				unknown++
			}
		}
		if unknown != 8 {
			b.Errorf("writes given up after 25 seconds: got %d, want 8", unknown)
		}
	})
}
