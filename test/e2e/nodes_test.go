//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// TestThreeNodes loses a node and gets it back, and then loses the leader twice.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3})
	n := c.namespace(t, "three")

	n.run(app("web", "v1", replicas(6)))
	n.wantNodes("web", map[string]int{"node1": 2, "node2": 2, "node3": 2})
	if got := n.get("web").Status.Nodes; !slices.Equal(got, []string{"node1", "node2", "node3"}) {
		t.Errorf("status.nodes: got %v, want all three", got)
	}
	n.run(app("everywhere", "v1", func(tc *v1alpha1.TenantContainer) { tc.Spec.Mode = v1alpha1.ModeGlobal }))
	if got := n.get("everywhere").Status.Tasks; got != "3/3" {
		t.Errorf("tasks of the global container that is ready: got %s, want 3/3", got)
	}
	was := n.settled("web")

	n.loseWorker(was)
	n.loseLeaderThatIsOurs()
	n.loseLeaderThatIsAnother()
}

// loseWorker cuts the power of node 3.
func (n *tenant) loseWorker(was swarm.Service) {
	n.t.Helper()
	lost := n.lab.Nodes[2]

	if err := lost.PowerCut(); err != nil {
		n.t.Fatal(err)
	}
	start := time.Now()
	await(n.t, soon, "status tells that tasks are missing", func() error {
		tc := n.get("web")
		if tc.Status.ReadyReplicas == 6 || slices.Contains(tc.Status.Nodes, "node3") {
			return fmt.Errorf("it says %s on %v", tc.Status.Tasks, tc.Status.Nodes)
		}

		return nil
	})
	await(n.t, atLast, "tasks are back on the others", func() error { return n.onNodes("web", map[string]int{"node1": 3, "node2": 3}) })
	n.t.Logf("tasks were back %v after the power cut", time.Since(start))
	n.ready("web")
	n.ready("everywhere")
	if got := n.get("everywhere").Status.Tasks; got != "2/2" {
		n.t.Errorf("tasks of the global container on two nodes: got %s, want 2/2", got)
	}

	if err := lost.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, atLast, "the global container is on all nodes again", func() error {
		return n.onNodes("everywhere", map[string]int{"node1": 1, "node2": 1, "node3": 1})
	})
	n.ready("web")
	if got := n.meter.updates(was.ID); got != 0 {
		n.t.Errorf("our updates of the service while a node went and came: got %d, want none", got)
	}
}

// loseLeaderThatIsOurs kills the engine that Dogker talks to, which leads the swarm.
func (n *tenant) loseLeaderThatIsOurs() {
	n.t.Helper()
	ours := n.lab.Nodes[0]

	if err := ours.Kill(); err != nil {
		n.t.Fatal(err)
	}
	n.edit("web", env("ROUND", "1"))
	time.Sleep(3 * time.Second)
	if err := ours.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	n.wantOneUpdate("web", "1")
}

// loseLeaderThatIsAnother kills the present leader while Dogker's own engine goes on.
func (n *tenant) loseLeaderThatIsAnother() {
	n.t.Helper()

	leader := n.leader()
	if leader == n.lab.Nodes[0] {
		n.t.Fatal("node1 leads again, so this would be the same test as the last one")
	}
	if err := leader.Kill(); err != nil {
		n.t.Fatal(err)
	}
	start := time.Now()
	n.edit("web", env("ROUND", "2"))
	n.wantOneUpdate("web", "2")
	n.t.Logf("the change was everywhere %v after the leader was killed", time.Since(start))
	if err := leader.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}

// wantOneUpdate waits until all tasks have the variable, and wants that Dogker wrote for it exactly once.
func (n *tenant) wantOneUpdate(name, round string) {
	n.t.Helper()

	var s swarm.Service
	await(n.t, atLast, "Swarm has the change", func() (err error) {
		if s, err = n.inspect(name); err != nil {
			return err
		}
		if env := s.Spec.TaskTemplate.ContainerSpec.Env; !slices.Contains(env, "ROUND="+round) {
			return fmt.Errorf("variables are %v", env)
		}

		return nil
	})
	n.condition(goneBy, name, "Ready", "True", "")
	if prev := s.PreviousSpec; prev == nil || slices.Contains(prev.TaskTemplate.ContainerSpec.Env, "ROUND="+round) {
		n.t.Errorf("the previous spec of the service has the change too: it was written twice")
	}
	if got, want := n.get(name).Status.Revision, int64(len(n.revisions(name))); got != want {
		n.t.Errorf("revision: got %d of %d, want the newest", got, want)
	}
}

// leader is the node that leads the swarm.
func (n *tenant) leader() *lab.Node {
	n.t.Helper()

	nodes, err := n.docker().NodeList(n.t.Context(), swarm.NodeListOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	for _, node := range nodes {
		if node.ManagerStatus != nil && node.ManagerStatus.Leader {
			for _, l := range n.lab.Nodes {
				if l.Name == node.Description.Hostname {
					return l
				}
			}
		}
	}
	n.t.Fatal("nobody leads")

	return nil
}

func (n *tenant) wantNodes(name string, want map[string]int) {
	n.t.Helper()

	if err := n.onNodes(name, want); err != nil {
		n.t.Error(err)
	}
}

// onNodes is an error when the running tasks are not spread like that.
func (n *tenant) onNodes(name string, want map[string]int) error {
	ctx, cancel := contextFor(instant)
	defer cancel()

	nodes, err := n.docker().NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return err
	}
	tasks, err := n.tasks(name)
	if err != nil {
		return err
	}

	got := map[string]int{}
	for _, task := range tasks {
		if task.Status.State != swarm.TaskStateRunning || task.DesiredState != swarm.TaskStateRunning {
			continue
		}
		for _, node := range nodes {
			if node.ID == task.NodeID {
				got[node.Description.Hostname]++
			}
		}
	}
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		return fmt.Errorf("tasks of %q: got %s, want %s", name, strings.TrimPrefix(g, "map"), strings.TrimPrefix(w, "map"))
	}

	return nil
}
