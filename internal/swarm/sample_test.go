package swarm_test

import (
	"errors"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestSample(t *testing.T) {
	inBubble(t, func(b *bubble) {
		o := newOwner(b.T)
		s := spec(o, "", 2)
		s.TaskTemplate.Resources = &dockerswarm.ResourceRequirements{Reservations: &dockerswarm.Resources{NanoCPUs: 5e8, MemoryBytes: 1 << 20}}
		id, err := b.engine.CreateService(b.Context(), s, "")
		if err != nil {
			b.Fatal(err)
		}
		foreign := spec(swarmobj.Owner{}, "", 1)
		foreign.Name, foreign.Labels = "foreign", nil
		if _, err := b.admin.ServiceCreate(b.Context(), foreign, dockerswarm.ServiceCreateOptions{}); err != nil {
			b.Fatal(err)
		}
		b.after(20 * time.Second)

		got, err := b.engine.Sample(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if len(got.Tasks) != 2 {
			b.Fatalf("got %d tasks, want the two of ours: %+v", len(got.Tasks), got.Tasks)
		}
		for _, task := range got.Tasks {
			if task.Owner != o || task.State != dockerswarm.TaskStateRunning || task.NanoCPUs != 5e8 || task.MemoryBytes != 1<<20 ||
				got.Nodes[task.NodeID].State != dockerswarm.NodeStateReady || task.Since.Before(task.Created) || task.Updated.IsZero() {
				b.Errorf("got %+v on %+v", task, got.Nodes[task.NodeID])
			}
		}
		if len(got.Clocks) != 1 || time.Since(got.Clocks[0]).Abs() > time.Second {
			b.Errorf("the engine's time is %v, ours %v", got.Clocks, time.Now())
		}

		// Right after the removal tasks stop; whose they were is known no more.
		if err := b.admin.ServiceRemove(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		b.after(200 * time.Millisecond)
		got, err = b.engine.Sample(b.Context())
		if err != nil || len(got.Tasks) == 0 {
			b.Fatalf("got %+v, %v; want the tasks that are still stopping", got, err)
		}
		if got.Tasks[0].Owner != (swarmobj.Owner{}) {
			b.Errorf("a task of a service that is gone belongs to %+v", got.Tasks[0].Owner)
		}
	})
}

// TestSampleFails: what cannot be seen is not taken for empty.
func TestSampleFails(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.cluster.SetDown(fake.ErrNoLeader())
		if got, err := b.engine.Sample(b.Context()); !errors.Is(err, swarmobj.ErrNoLeader) || got.Nodes != nil {
			b.Errorf("got %+v, %v; want ErrNoLeader", got, err)
		}
	})
}
