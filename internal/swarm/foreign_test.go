package swarm_test

import (
	"errors"
	"testing"
	"time"

	"github.com/docker/docker/api/types/network"
	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestForeign: a service of somebody else is shown whole, and is its owner's as soon as that has been written.
func TestForeign(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		plain := spec(o, "", 1)
		plain.Labels = map[string]string{"com.docker.stack.namespace": o.Tenant}
		made, err := b.admin.ServiceCreate(b.Context(), plain, dockerswarm.ServiceCreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Minute)

		live, err := b.engine.Foreign(b.Context(), made.ID)
		if err != nil || live.Spec.TaskTemplate.ContainerSpec == nil {
			b.Fatalf("it is shown as %+v, error %v", live.Spec, err)
		}
		if w, err := b.engine.Look(b.Context(), o); err != nil || w.Service != nil || w.Squatter == nil {
			b.Fatalf("nobody has adopted it yet: %+v, error %v", w, err)
		}

		want := live.Spec
		want.Labels = o.Labels()
		if err := b.engine.UpdateService(b.Context(), live, want, ""); err != nil {
			b.Fatal(err)
		}
		if w, err := b.engine.Look(b.Context(), o); err != nil || w.Service == nil || w.Service.ID != made.ID || w.Squatter != nil {
			b.Errorf("its owner sees %+v, error %v", w, err)
		}
		time.Sleep(time.Minute)
		if w, err := b.engine.Look(b.Context(), o); err != nil || w.Service == nil || !w.TasksFresh || len(w.Tasks) != 1 || !w.Tasks[0].Current {
			b.Errorf("its task is not that of another template: %+v, error %v", w.Tasks, err)
		}

		if _, err := b.engine.Foreign(b.Context(), made.ID); !errors.Is(err, swarmobj.ErrRefused) {
			b.Errorf("what has an owner is foreign to nobody: %v", err)
		}
		if _, err := b.engine.Foreign(b.Context(), "nothing"); !errors.Is(err, swarmobj.ErrNotFound) {
			b.Errorf("what is not there: %v", err)
		}
	})
}

// TestForeignNetwork: those of tenants are foreign to nobody.
func TestForeignNetwork(t *testing.T) {
	inBubble(t, func(b *bubble) {
		other, err := b.admin.NetworkCreate(b.Context(), "stack_default", network.CreateOptions{Driver: "overlay", Scope: "swarm"})
		if err != nil {
			b.Fatal(err)
		}
		own, err := b.engine.CreateNetwork(b.Context(), "acme")
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Minute)

		if n, ok := b.engine.Network(other.ID); !ok || n.Name != "stack_default" {
			b.Errorf("the network of a stack is %+v", n)
		}
		for _, id := range []string{own, "nothing"} {
			if n, ok := b.engine.Network(id); ok {
				b.Errorf("%q is shown as %+v", id, n)
			}
		}
	})
}
