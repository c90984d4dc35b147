//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// baseline is the plan of a tenant that is confined, and may use that registry.
func baseline(name string, r *imageRegistry) *v1alpha1.Plan {
	return &v1alpha1.Plan{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.PlanSpec{
		SecurityProfile: v1alpha1.ProfileBaseline,
		Quota:           &v1alpha1.Quota{Containers: new(int64(20)), Replicas: new(int64(40))},
		Images:          &v1alpha1.ImageRules{Allowed: []v1alpha1.ImagePattern{v1alpha1.ImagePattern(r.host)}},
	}}
}

// TestTenantsKeepOffManagers: where there are workers, nothing of a tenant begins on a manager. What is there already stays
// until its next rollout, and a worker that goes and comes makes no write.
func TestTenantsKeepOffManagers(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 3, Managers: 1})
	n := &tenant{cell: c, t: t, name: "confined"}
	r := n.registry("")
	n.push(r, "v1", "1")
	n.declare(baseline("confined", r))

	workers := []string{"node2", "node3"}
	n.setAvailability(swarm.NodeAvailabilityDrain, workers...)
	n.run(app("early", "", from(r.ref("1")), replicas(2)))
	n.wantNodes("early", map[string]int{"node1": 2})

	early := n.settled("early")
	n.setAvailability(swarm.NodeAvailabilityActive, workers...)
	n.run(app("late", "", from(r.ref("1")), replicas(4)))
	n.wantNodes("late", map[string]int{"node2": 2, "node3": 2})
	n.wantNodes("early", map[string]int{"node1": 2})
	if err := n.unmoved(early); err != nil {
		t.Errorf("workers that join rewrite what runs: %v", err)
	}

	n.edit("early", env("ROUND", "1"))
	n.ready("early")
	await(t, atLast, "the rollout takes the tasks to the workers", func() error { return n.offManagers("early") })

	late := n.settled("late")
	if err := c.lab.Nodes[2].PowerCut(); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "tasks are back on the other worker", func() error { return n.onNodes("late", map[string]int{"node2": 4}) })
	n.ready("late")
	if err := c.lab.Nodes[2].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "the node is back", func() error { return n.nodeReady("node3") })
	n.ready("early")
	if err := n.offManagers("early"); err != nil {
		t.Error(err)
	}
	if got := n.meter.updates(late.ID); got != 0 {
		t.Errorf("our updates of the service while a worker went and came: got %d, want none", got)
	}
}

// offManagers is an error when a running task is on node 1, the only manager, or when none runs.
func (n *tenant) offManagers(name string) error {
	tc, err := n.read(name)
	if err != nil {
		return err
	}
	if len(tc.Status.Nodes) == 0 || slices.Contains(tc.Status.Nodes, "node1") {
		return fmt.Errorf("tasks of %q are on %v", name, tc.Status.Nodes)
	}

	return nil
}

// setAvailability changes nodes, and gives Dogker the time to hear of it.
func (n *tenant) setAvailability(to swarm.NodeAvailability, names ...string) {
	n.t.Helper()

	for _, node := range n.nodes() {
		if !slices.Contains(names, node.Description.Hostname) {
			continue
		}
		node.Spec.Availability = to
		if err := n.docker().NodeUpdate(n.t.Context(), node.ID, node.Version, node.Spec); err != nil {
			n.t.Fatal(err)
		}
	}
	time.Sleep(3 * time.Second)
}

func (n *tenant) nodeReady(name string) error {
	for _, node := range n.nodes() {
		if node.Description.Hostname == name {
			return wantf(node.Status.State, swarm.NodeStateReady, "state of %s", name)
		}
	}

	return fmt.Errorf("there is no node %q", name)
}

func (n *tenant) nodes() []swarm.Node {
	n.t.Helper()

	nodes, err := n.docker().NodeList(n.t.Context(), swarm.NodeListOptions{})
	if err != nil {
		n.t.Fatal(err)
	}

	return nodes
}
