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

	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// testImage is held by the engines of the tests, real or not.
const testImage = "dogker.test/app:v1"

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
	s.TaskTemplate.ContainerSpec = &dockerswarm.ContainerSpec{Image: testImage}
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
