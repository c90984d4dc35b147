package metering

import (
	"context"
	"fmt"
	"testing"
	"time"

	engine "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// still is a large swarm in which nothing happens, on a clock that is moved by hand.
type still struct {
	sample usage.Sample
	mono   time.Duration
}

func newStill(tenants, workloads, replicas int) *still {
	s := &still{sample: usage.Sample{Nodes: map[string]usage.Node{}}}
	for tenant := range tenants {
		for workload := range workloads {
			for replica := range replicas {
				node := fmt.Sprintf("%025d", (tenant+replica)%20)
				s.sample.Nodes[node] = usage.Node{State: engine.NodeStateReady}
				name := fmt.Sprintf("web-%d", workload)
				s.sample.Tasks = append(s.sample.Tasks, usage.Task{
					ID: fmt.Sprintf("%010d%05d%010d", tenant, workload, replica), NodeID: node,
					Owner: swarmobj.Owner{Tenant: fmt.Sprintf("tenant-%d", tenant), Kind: "TenantContainer", Name: name, UID: fmt.Sprintf("%s-%030d", name, tenant)},
					State: engine.TaskStateRunning, Since: began, Created: began, Updated: began,
					NanoCPUs: 250_000_000, MemoryBytes: 256 << 20,
				})
			}
		}
	}

	return s
}

func (s *still) Read() Reading { return Reading{Wall: began.Add(s.mono), Mono: s.mono} }

func (s *still) Sample(context.Context) (usage.Sample, error) {
	out := s.sample
	out.Clocks = []time.Time{began.Add(s.mono)}

	return out, nil
}

// sink takes everything and counts it.
type sink struct {
	*session

	windows, bytes int
}

func (s *sink) Commit(_ context.Context, changes []usage.Change) []usage.Result {
	out := make([]usage.Result, len(changes))
	for i, c := range changes {
		s.bytes += len(c.Data)
		if c.Charge != nil {
			s.windows += len(c.Charge.Windows)
		}
		out[i].Revision = c.Revision + 1
	}

	return out
}

// BenchmarkCloseWindow closes one minute for 1,000 tenants with 10,000 tasks: the sample is put in order, shown to every
// account, and each account's record written with its charge. What etcd takes for the 1,000 transactions comes on top.
func BenchmarkCloseWindow(b *testing.B) {
	swarm := newStill(1000, 5, 2)
	store := &sink{session: newMemory(func() int64 { return 0 }).lead()}
	m := New(Options{Swarm: swarm, Store: store, Clock: swarm})
	tick := func(d time.Duration) {
		swarm.mono += d
		if err := m.Tick(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	tick(0)
	tick(80 * time.Second) // So far into a minute that every further one closes one.
	before := store.windows
	store.bytes = 0

	rounds := 0
	for b.Loop() {
		tick(time.Minute)
		rounds++
	}
	if got := store.windows - before; got != 1000*rounds {
		b.Fatalf("%d windows in %d rounds, want 1000 in each", got, rounds)
	}
	b.ReportMetric(float64(store.bytes)/float64(1000*rounds), "B/record")
}

// BenchmarkSampleWithoutNews is what the other three ticks of a minute cost, which write nothing but the mark.
func BenchmarkSampleWithoutNews(b *testing.B) {
	swarm := newStill(1000, 5, 2)
	frame := func(at time.Duration) *usage.Frame {
		return usage.NewFrame(swarm.sample, usage.FrameOptions{Begun: began.Add(at), Done: began.Add(at)})
	}
	accounts := map[string]usage.Account{}
	first := frame(0)
	for tenant := range first.Tenants {
		accounts[tenant], _ = usage.NewAccount(tenant, 0).Observe(first)
	}
	at := time.Duration(0)
	for b.Loop() {
		at += interval
		f := frame(at)
		for tenant, a := range accounts {
			next, changed := a.Observe(f)
			if changed {
				b.Fatal("there is no news")
			}
			accounts[tenant] = next
		}
	}
}
