package swarm_test

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// TestMounting: a service is shown to mount a volume from when it is sent until the last task that does has ended.
func TestMounting(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o, other := newOwner(b.T), newOwner(b.T)
		const source = "acme_data_0123456789ab"
		b.create(other, 1)

		s := spec(o, "", 1)
		s.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: source, Target: "/data"}}
		if _, err := b.engine.CreateService(b.Context(), s, ""); err != nil {
			b.Fatal(err)
		}
		want := func(when string, n int) {
			b.Helper()
			for _, tenant := range []string{o.Tenant, ""} {
				got := b.engine.Mounting(tenant, source)
				if len(got) != n || n > 0 && (got[0].Owner != o || got[0].Service == nil) {
					b.Errorf("%s, asked for tenant %q: got %+v, want %d", when, tenant, got, n)
				}
			}
			if got := append(b.engine.Mounting(other.Tenant, source), b.engine.Mounting("", "acme_data_other")...); len(got) > 0 {
				b.Errorf("%s: what mounts something else is shown: %+v", when, got)
			}
		}
		want("once it is sent", 1)
		b.after(10 * time.Second)
		want("while it runs", 1)

		live := *b.look(o).Service
		without := spec(o, "", 1)
		without.UpdateConfig = &swarm.UpdateConfig{Parallelism: 1, Monitor: 5 * time.Minute, FailureAction: swarm.UpdateFailureActionRollback}
		if err := b.engine.UpdateService(b.Context(), live, without, ""); err != nil {
			b.Fatal(err)
		}
		want("while a task of the spec before runs", 1)
		b.after(time.Minute)
		want("while Swarm may go back to the spec before", 1)
		b.after(10 * time.Minute)
		want("when that has ended", 0)
	})
}
