//go:build e2e

package swarm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// site is a swarm of three managers with an adapter on the second; the first leads.
type site struct {
	*testing.T

	lab    *lab.Lab
	engine *swarm.Engine
}

func newSite(t *testing.T, managers int) *site {
	t.Helper()

	s := &site{T: t, lab: lab.Start(t, lab.Options{Nodes: 3, Managers: managers, Versions: []string{"v1"}})}
	node := s.lab.Nodes[min(1, managers-1)]
	s.engine = swarm.New(node.Docker, swarm.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.engine.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })

	select {
	case <-s.engine.Synced():
	case <-time.After(30 * time.Second):
		t.Fatalf("not synced: %v", s.engine.State())
	}

	return s
}

func owner(n int) swarmobj.Owner {
	return swarmobj.Owner{Tenant: fmt.Sprintf("acme-%d", n), Kind: "TenantContainer", Name: "web", UID: fmt.Sprintf("uid-%d", n)}
}

func spec(o swarmobj.Owner, replicas uint64) dockerswarm.ServiceSpec {
	var s dockerswarm.ServiceSpec
	s.Name, s.Labels = swarmobj.ServiceName(o.Tenant, o.Name), o.Labels()
	s.TaskTemplate.ContainerSpec = &dockerswarm.ContainerSpec{Image: lab.Image("v1")}
	s.Mode.Replicated = &dockerswarm.ReplicatedService{Replicas: &replicas}
	s.EndpointSpec = &dockerswarm.EndpointSpec{Mode: dockerswarm.ResolutionModeDNSRR}

	return s
}

// ensure does what a controller does: look, create what is missing, until the service is known to exist. It returns how
// long that took.
func (s *site) ensure(o swarmobj.Owner, within time.Duration) time.Duration {
	s.Helper()

	var err error
	start := time.Now()
	for time.Since(start) < within {
		var w swarmobj.World
		if w, err = s.engine.Look(s.Context(), o); err == nil {
			if w.Service != nil {
				return time.Since(start)
			}
			_, err = s.engine.CreateService(s.Context(), spec(o, 0), "")
		}
		if err != nil {
			time.Sleep(200 * time.Millisecond)
		}
	}
	s.Fatalf("service of %s: not within %s: %v", o.Tenant, within, err)

	return 0
}

// onlyOnce fails unless each of the owners has exactly one service.
func (s *site) onlyOnce(node *lab.Node, n int) {
	s.Helper()

	list, err := node.Docker.ServiceList(s.Context(), dockerswarm.ServiceListOptions{})
	if err != nil {
		s.Fatal(err)
	}

	found := map[string]int{}
	for _, service := range list {
		found[service.Spec.Name]++
	}
	for i := range n {
		if name := swarmobj.ServiceName(owner(i).Tenant, "web"); found[name] != 1 {
			s.Errorf("service %q: got %d, want 1", name, found[name])
		}
	}
	if len(list) != n {
		s.Errorf("services: got %d, want %d", len(list), n)
	}
}

func (s *site) wait(within time.Duration, what string, ok func() bool) {
	s.Helper()

	for start := time.Now(); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > within {
			s.Fatalf("%s: not within %s; state %v", what, within, s.engine.State())
		}
	}
}

// D3: the leader is lost while services are being created. Every one is there once, and writes go on with the next leader.
func TestLeaderIsLostDuringWrites(t *testing.T) {
	for name, fault := range map[string]struct {
		strike func(*lab.Node) error
		within time.Duration // Until writes go on, on a machine that does other things as well.
	}{
		"Killed": {(*lab.Node).Kill, 40 * time.Second},
		"Paused": {(*lab.Node).Pause, 60 * time.Second},
		"CutOff": {(*lab.Node).Cut, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 3)

			const services = 40
			var longest time.Duration
			for i := range services {
				if i == services/2 {
					if err := fault.strike(s.lab.Nodes[0]); err != nil {
						t.Fatal(err)
					}
				}
				longest = max(longest, s.ensure(owner(i), fault.within))
			}

			t.Logf("writes went on %s after the leader was lost", longest.Round(100*time.Millisecond))
			s.onlyOnce(s.lab.Nodes[2], services)
		})
	}
}

// D4: without a quorum nothing is known and nothing is written; with it everything is as it was.
func TestQuorumIsLost(t *testing.T) {
	s := newSite(t, 3)
	s.ensure(owner(0), 10*time.Second)

	for _, n := range []*lab.Node{s.lab.Nodes[0], s.lab.Nodes[2]} {
		if err := n.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	s.wait(60*time.Second, "doubt", func() bool { return s.engine.State() != nil })
	t.Logf("state: %v", s.engine.State())

	if _, err := s.engine.Look(t.Context(), owner(0)); err == nil {
		t.Error("a swarm without a quorum was shown as if it were known")
	}

	for _, n := range []*lab.Node{s.lab.Nodes[0], s.lab.Nodes[2]} {
		if err := n.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.wait(60*time.Second, "trust", func() bool { return s.engine.State() == nil })
	s.ensure(owner(1), 30*time.Second)
	s.onlyOnce(s.lab.Nodes[1], 2)
}

// D1: a worker is lost. Its tasks are seen to move.
func TestWorkerIsLost(t *testing.T) {
	s := newSite(t, 1)
	o := owner(0)
	if _, err := s.engine.CreateService(t.Context(), spec(o, 6), ""); err != nil {
		t.Fatal(err)
	}

	running := func(wantNodes int) func() bool {
		return func() bool {
			w, err := s.engine.Look(t.Context(), o)
			if err != nil || w.Service == nil {
				return false
			}
			s.engine.Converging(w.Service.ID)

			up := map[string]bool{}
			for _, n := range w.Nodes {
				up[n.ID] = n.Status.State == dockerswarm.NodeStateReady
			}
			n, nodes := 0, map[string]bool{}
			for _, task := range w.Tasks {
				if task.Running() && up[task.NodeID] {
					n++
					nodes[task.NodeID] = true
				}
			}

			return n == 6 && len(nodes) == wantNodes
		}
	}
	s.wait(60*time.Second, "spread over three nodes", running(3))

	if err := s.lab.Nodes[2].PowerCut(); err != nil {
		t.Fatal(err)
	}
	lost := time.Now()
	s.wait(90*time.Second, "move to two nodes", running(2))
	t.Logf("all six run on two nodes %s after the power cut", time.Since(lost).Round(100*time.Millisecond))

	if err := s.engine.RemoveService(t.Context(), look(t, s.engine, o), o); err != nil && !errors.Is(err, swarmobj.ErrNotFound) {
		t.Error(err)
	}
}

func look(t *testing.T, e *swarm.Engine, o swarmobj.Owner) string {
	t.Helper()

	w, err := e.Look(t.Context(), o)
	if err != nil || w.Service == nil {
		t.Fatalf("look: got %+v, error %v", w, err)
	}

	return w.Service.ID
}
