package metering_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	engine "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/controllers/metering"
	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// till is a store that adds up what is charged to each workload.
type till struct{ seconds map[string]int64 }

func (t *till) Load(context.Context) (usage.Stored, error) { return usage.Stored{}, nil }

func (t *till) Reload(_ context.Context, tenant string) (usage.Record, error) {
	return usage.Record{}, fmt.Errorf("reload %q: no write of the test fails", tenant)
}

func (t *till) SaveMark(context.Context, []byte) error { return nil }

func (t *till) Commit(_ context.Context, changes []usage.Change) []usage.Result {
	for _, c := range changes {
		if c.Charge == nil {
			continue
		}
		for _, w := range c.Charge.Windows {
			for _, l := range w.Lines {
				if l.Meter == usage.MeterReplica {
					t.seconds[l.Workload.Name] += l.Seconds
				}
			}
		}
	}

	return make([]usage.Result, len(changes))
}

// TestOnAnEngine meters the model of an engine through the adapter that meters real ones: a service that is scaled, one
// that is removed, one that crashes every 40 seconds, and one of whose nodes nothing is heard any more. The containers that
// really run are counted every second.
func TestOnAnEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := fake.NewCluster(fake.Options{Nodes: []string{"m", "w1", "w2"}})
		cluster.AddImage(fake.Image{Ref: "app:1", ID: "sha256:1"})
		cluster.AddImage(fake.Image{Ref: "crashing:1", ID: "sha256:2", Behaviour: fake.Behaviour{Exits: true, ExitCode: 1, After: 40 * time.Second}})
		admin := cluster.Admin()
		adapter := swarm.New(cluster.Client(fake.ClientOptions{}), swarm.Options{})
		store := &till{seconds: map[string]int64{}}
		meter := metering.New(metering.Options{Swarm: adapter, Store: store})

		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = adapter.Run(ctx) }()
		<-adapter.Synced()
		go func() { _ = meter.Start(ctx) }()
		defer func() { cancel(); synctest.Wait() }()

		ran, tasks := map[string]int64{}, map[string]map[string]bool{}
		pass := func(d time.Duration) {
			for range int(d / time.Second) {
				time.Sleep(time.Second)
				for _, c := range cluster.Containers() {
					ran[c.Service]++
					if tasks[c.Service] == nil {
						tasks[c.Service] = map[string]bool{}
					}
					tasks[c.Service][c.TaskID] = true
				}
			}
		}
		pass(20 * time.Second)

		scaled := create(t, admin, "scaled", "app:1", 3, "")
		removed := create(t, admin, "removed", "app:1", 2, "")
		create(t, admin, "moved", "app:1", 2, "node.hostname!=m")
		create(t, admin, "crashes", "crashing:1", 1, "node.hostname==m")
		pass(3 * time.Minute)
		scale(t, admin, scaled, 1)
		if err := admin.ServiceRemove(ctx, removed); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		cluster.CutNode("w1")
		pass(5 * time.Minute)
		scale(t, admin, scaled, 0)
		pass(80 * time.Second)
		synctest.Wait()

		for _, name := range []string{"scaled", "removed", "crashes", "moved"} {
			got, most := store.seconds[name], ran[name]
			// Half a sample interval at each end would be usual, two are allowed; what runs at the end is not charged yet.
			least := most - 2*15*int64(len(tasks[name])) - 80
			if name == "moved" {
				least -= 380 // What goes on on the node that is cut off, and what runs at the end, twice.
			}
			if got > most+int64(len(tasks[name])) || got < least || got == 0 {
				t.Errorf("%s: %d s of %d containers, %d charged, want at least %d", name, most, len(tasks[name]), got, least)
			}
		}
	})
}

func create(t *testing.T, admin *fake.Client, name, image string, replicas uint64, constraint string) string {
	t.Helper()
	var s engine.ServiceSpec
	s.Name, s.Labels = name, swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: name, UID: "u-" + name}.Labels()
	s.TaskTemplate.ContainerSpec = &engine.ContainerSpec{Image: image}
	if constraint != "" {
		s.TaskTemplate.Placement = &engine.Placement{Constraints: []string{constraint}}
	}
	s.Mode.Replicated = &engine.ReplicatedService{Replicas: &replicas}
	s.EndpointSpec = &engine.EndpointSpec{Mode: engine.ResolutionModeDNSRR}
	got, err := admin.ServiceCreate(t.Context(), s, engine.ServiceCreateOptions{})
	if err != nil {
		t.Fatal(err)
	}

	return got.ID
}

func scale(t *testing.T, admin *fake.Client, id string, replicas uint64) {
	t.Helper()
	s, _, err := admin.ServiceInspectWithRaw(t.Context(), id, engine.ServiceInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.Spec.Mode.Replicated.Replicas = &replicas
	if _, err := admin.ServiceUpdate(t.Context(), id, s.Version, s.Spec, engine.ServiceUpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
