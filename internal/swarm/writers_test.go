package swarm_test

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	dockerswarm "github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// TestWriters: whoever writes to a volume is found as the engine has it now, also when the service is gone and its task is not.
func TestWriters(t *testing.T) {
	inBubble(t, func(b *bubble) {
		writes, reads, other := newOwner(b.T), newOwner(b.T), newOwner(b.T)
		reads.Tenant, reads.Name = writes.Tenant, "reads"
		mounting := func(o swarmobj.Owner, readOnly bool, replicas uint64) dockerswarm.ServiceSpec {
			s := spec(o, "", replicas)
			s.TaskTemplate.ContainerSpec.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: "data", Target: "/d", ReadOnly: readOnly}}

			return s
		}
		is := func(why string, want ...swarmobj.Writer) {
			b.Helper()
			got, err := b.engine.Writers(b.Context(), writes.Tenant, "data")
			if err != nil {
				b.Fatal(err)
			}
			if diff := cmp.Diff(append([]swarmobj.Writer{}, want...), got); diff != "" {
				b.Errorf("%s (-want +got):\n%s", why, diff)
			}
		}

		for _, s := range []dockerswarm.ServiceSpec{mounting(reads, true, 1), mounting(other, false, 1)} {
			if _, err := b.engine.CreateService(b.Context(), s, ""); err != nil {
				b.Fatal(err)
			}
		}
		is("readers, and others' volumes")

		id, err := b.engine.CreateService(b.Context(), mounting(writes, false, 1), "")
		if err != nil {
			b.Fatal(err)
		}
		is("made a moment ago", swarmobj.Writer{Owner: writes, Live: true})
		if got, _ := b.engine.Writers(b.Context(), writes.Tenant, "another"); len(got) > 0 {
			b.Errorf("another volume: %+v", got)
		}
		b.after(time.Minute)
		is("running", swarmobj.Writer{Owner: writes, Live: true})

		// What is declared to read from now on has an old task for a while, which writes.
		w, err := b.engine.Look(b.Context(), writes)
		if err != nil {
			b.Fatal(err)
		}
		if err := b.engine.UpdateService(b.Context(), *w.Service, mounting(writes, true, 1), ""); err != nil {
			b.Fatal(err)
		}
		is("the old task", swarmobj.Writer{Owner: writes, Live: true})
		b.after(2 * time.Minute)
		is("has stopped")

		if w, err = b.engine.Look(b.Context(), writes); err != nil {
			b.Fatal(err)
		}
		if err := b.engine.UpdateService(b.Context(), *w.Service, mounting(writes, false, 1), ""); err != nil {
			b.Fatal(err)
		}
		b.after(2 * time.Minute)
		if err := b.engine.RemoveService(b.Context(), id, writes); err != nil {
			b.Fatal(err)
		}
		is("the service is gone, its task is not", swarmobj.Writer{Live: true})
		b.after(2 * time.Minute)
		is("all are gone")
	})
}
