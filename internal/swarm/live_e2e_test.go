//go:build e2e

package swarm_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// engine is the one-node swarm that the tests of this package share. Each test has a namespace of its own.
var engine *lab.Node

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	l, err := lab.Up(ctx, lab.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "start lab:", err)
		return 1
	}
	defer l.Down()
	engine = l.Nodes[0]

	return m.Run()
}

// start runs an adapter for the engine until the test ends.
func start(t *testing.T, api swarm.API, o swarm.Options) *swarm.Engine {
	t.Helper()

	if testing.Verbose() {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}

	e := swarm.New(api, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})

	go func() {
		defer close(done)
		_ = e.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })

	select {
	case <-e.Synced():
	case <-time.After(20 * time.Second):
		t.Fatalf("not synced: %v", e.State())
	}

	return e
}

var owners atomic.Int64

// newOwner is an owner in a namespace that nobody else uses.
func newOwner(t *testing.T) swarmobj.Owner {
	n := owners.Add(1)
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))

	return swarmobj.Owner{
		Tenant: fmt.Sprintf("%.20s-%d", name, n), Kind: "TenantContainer", Name: "web", UID: fmt.Sprintf("uid-%d-%d", os.Getpid(), n),
	}
}

// spec is a service of the owner on its network.
func spec(o swarmobj.Owner, networkID string, replicas uint64) dockerswarm.ServiceSpec {
	var s dockerswarm.ServiceSpec
	s.Name, s.Labels = swarmobj.ServiceName(o.Tenant, o.Name), o.Labels()
	s.TaskTemplate.ContainerSpec = &dockerswarm.ContainerSpec{Image: lab.Image("v1")}
	if networkID != "" {
		s.TaskTemplate.Networks = []dockerswarm.NetworkAttachmentConfig{{Target: networkID}}
	}
	s.Mode.Replicated = &dockerswarm.ReplicatedService{Replicas: &replicas}
	s.EndpointSpec = &dockerswarm.EndpointSpec{Mode: dockerswarm.ResolutionModeDNSRR}

	return s
}

// eventually looks until the world is as wanted, and returns it.
func eventually(t *testing.T, e *swarm.Engine, o swarmobj.Owner, within time.Duration, what string, ok func(swarmobj.World) bool) swarmobj.World {
	t.Helper()

	var w swarmobj.World
	var err error
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if w, err = e.Look(t.Context(), o); err == nil && ok(w) {
			return w
		}
	}
	t.Fatalf("%s: not within %s; error %v, world %+v", what, within, err, w)

	return w
}

func allRunning(n int) func(swarmobj.World) bool {
	return func(w swarmobj.World) bool {
		running := 0
		for _, task := range w.Tasks {
			if task.Running() && task.Current {
				running++
			}
		}

		return running == n && w.TasksFresh && !w.Uncertain
	}
}

func TestLiveLifeOfAService(t *testing.T) {
	e := start(t, engine.Docker, swarm.Options{})
	o := newOwner(t)

	netID, err := e.CreateNetwork(t.Context(), o.Tenant)
	if err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	id, err := e.CreateService(t.Context(), spec(o, netID, 2), "")
	if err != nil {
		t.Fatal(err)
	}

	w, err := e.Look(t.Context(), o)
	if err != nil || w.Service == nil || !w.Uncertain || w.Service.ID != id {
		t.Errorf("right after the create: got %+v, error %v, want the service as it was sent", w.Service, err)
	}

	e.Converging(id)
	w = eventually(t, e, o, 20*time.Second, "run", allRunning(2))
	t.Logf("running %s after the create", time.Since(began))

	next := w.Service.Spec
	next.Labels = o.Labels()
	next.Labels["io.dogker.generation"] = "2"
	next.TaskTemplate.ContainerSpec.Env = []string{"A=1"}
	if err := e.UpdateService(t.Context(), *w.Service, next, ""); err != nil {
		t.Fatal(err)
	}
	w = eventually(t, e, o, 60*time.Second, "roll out", func(w swarmobj.World) bool {
		return allRunning(2)(w) && w.Service.UpdateStatus != nil && w.Service.UpdateStatus.State == dockerswarm.UpdateStateCompleted
	})

	if err := e.RemoveNetwork(t.Context(), o.Tenant); err == nil {
		t.Error("the network of a running service was removed")
	}
	if err := e.RemoveService(t.Context(), id, o); err != nil {
		t.Fatal(err)
	}
	if w, err := e.Look(t.Context(), o); err != nil || w.Service != nil {
		t.Errorf("after the removal: got %+v, error %v, want none", w.Service, err)
	}

	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = e.RemoveNetwork(t.Context(), o.Tenant); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
