//go:build e2e

package swarm_test

import (
	"context"
	"fmt"
	"os"
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
