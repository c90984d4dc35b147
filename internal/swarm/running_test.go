package swarm_test

import (
	"errors"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestTenantTasks(t *testing.T) {
	inBubble(t, func(b *bubble) {
		mine, other := newOwner(b.T), newOwner(b.T)
		for o, replicas := range map[swarmobj.Owner]uint64{mine: 2, other: 3} {
			if _, err := b.engine.CreateService(b.Context(), spec(o, "", replicas), ""); err != nil {
				b.Fatal(err)
			}
		}
		b.after(time.Minute)

		got, err := b.engine.TenantTasks(mine.Tenant)
		if err != nil || len(got) != 2 {
			b.Fatalf("got %+v, %v; want the tenant's two tasks", got, err)
		}
		for _, task := range got {
			if task.State != dockerswarm.TaskStateRunning {
				b.Errorf("got %+v, want it running", task)
			}
		}

		// What has ended does not run, although the engine remembers it.
		w, err := b.engine.Look(b.Context(), mine)
		if err != nil {
			b.Fatal(err)
		}
		if err := b.engine.UpdateService(b.Context(), *w.Service, spec(mine, "", 0), ""); err != nil {
			b.Fatal(err)
		}
		b.after(2 * time.Minute)
		if got, err := b.engine.TenantTasks(mine.Tenant); err != nil || len(got) != 0 {
			b.Errorf("got %+v, %v; want none", got, err)
		}

		if got, err := b.engine.TenantTasks("nobody"); err != nil || got != nil {
			b.Errorf("got %+v, %v for somebody who has nothing", got, err)
		}
	})
}

// TestTenantTasksFails: an engine that cannot be asked runs who knows what.
func TestTenantTasksFails(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.cluster.SetDown(fake.ErrNoLeader())
		b.after(time.Minute)

		if got, err := b.engine.TenantTasks("acme"); !errors.Is(err, swarmobj.ErrNoLeader) || got != nil {
			b.Errorf("got %+v, %v; want ErrNoLeader", got, err)
		}
	})
}
