package swarm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// obstacle is a reason why a node cannot take a task.
type obstacle struct {
	fits func(*Cluster, *node, *task) bool
	why  func(nodes int) string
}

// obstacles in the order in which the scheduler looks for them. The texts are the engine's own.
var obstacles = []obstacle{
	{
		func(_ *Cluster, n *node, _ *task) bool {
			return n.Status.State == swarm.NodeStateReady && n.Spec.Availability == swarm.NodeAvailabilityActive
		},
		plural("1 node not available for new tasks", "%d nodes not available for new tasks"),
	},
	{(*Cluster).hasRoom, plural("insufficient resources on 1 node", "insufficient resources on %d nodes")},
	{
		func(_ *Cluster, n *node, t *task) bool {
			return t.Spec.Placement == nil || n.satisfies(t.Spec.Placement.Constraints)
		},
		plural("scheduling constraints not satisfied on 1 node", "scheduling constraints not satisfied on %d nodes"),
	},
	{
		func(_ *Cluster, n *node, t *task) bool { return n.runs(t.Spec.Placement) },
		plural("unsupported platform on 1 node", "unsupported platform on %d nodes"),
	},
	{(*Cluster).portsFree, plural("host-mode port already in use on 1 node", "host-mode port already in use on %d nodes")},
	{
		func(c *Cluster, n *node, t *task) bool {
			p := t.Spec.Placement

			return p == nil || p.MaxReplicas == 0 || c.load(n, t.ServiceID) < int(p.MaxReplicas)
		},
		func(int) string { return "max replicas per node limit exceed" },
	},
}

func plural(one, many string) func(int) string {
	return func(n int) string {
		if n == 1 {
			return one
		}

		return fmt.Sprintf(many, n)
	}
}

// schedule gives waiting tasks a node, or says why there is none.
func (c *Cluster) schedule() {
	for _, t := range sorted(c.tasks) {
		if t.Status.State != swarm.TaskStatePending || t.doomed() || !c.due(t.stateAt.Add(c.latency.Schedule)) {
			continue
		}

		message := "scheduler assigned task to node"
		candidates := sorted(c.nodes)

		if t.NodeID != "" {
			message = "scheduler confirmed task can run on preassigned node"
			candidates = []*node{c.nodes[t.NodeID]}
		}

		n, why := c.place(t, candidates)
		if n == nil {
			if t.Status.Err != why {
				// The wait goes on: only what is said about it changes.
				since := t.stateAt
				c.setState(t, swarm.TaskStatePending, "pending task scheduling", why)
				t.stateAt = since
			}

			continue
		}

		t.NodeID = n.ID
		c.setState(t, swarm.TaskStateAssigned, message, "")
	}
}

// place picks the node with the fewest tasks of the service, and of those the one with the fewest at all.
func (c *Cluster) place(t *task, candidates []*node) (*node, string) {
	failures := make([]int, len(obstacles))

	var fit []*node

	for _, n := range candidates {
		i := slices.IndexFunc(obstacles, func(o obstacle) bool { return !o.fits(c, n, t) })
		if i < 0 {
			fit = append(fit, n)
		} else {
			failures[i]++
		}
	}

	if len(fit) == 0 {
		return nil, "no suitable node" + explain(failures)
	}

	return slices.MinFunc(fit, func(a, b *node) int {
		if d := c.load(a, t.ServiceID) - c.load(b, t.ServiceID); d != 0 {
			return d
		}

		return c.load(a, "") - c.load(b, "")
	}), ""
}

func explain(failures []int) string {
	type failed struct {
		nodes int
		why   string
	}

	var all []failed

	for i, nodes := range failures {
		if nodes > 0 {
			all = append(all, failed{nodes, obstacles[i].why(nodes)})
		}
	}

	slices.SortStableFunc(all, func(a, b failed) int { return b.nodes - a.nodes })

	var whys []string
	for _, f := range all {
		whys = append(whys, f.why)
	}

	if len(whys) == 0 {
		return ""
	}

	return " (" + strings.Join(whys, "; ") + ")"
}

// load counts the tasks of a service on a node that are meant to run there; of all services when it is empty.
func (c *Cluster) load(n *node, serviceID string) int {
	count := 0

	for _, t := range c.tasks {
		if t.NodeID == n.ID && !t.doomed() && !t.over() && (serviceID == "" || t.ServiceID == serviceID) {
			count++
		}
	}

	return count
}

// hasRoom tells whether the node can set aside what the task reserves. Limits do not count.
func (c *Cluster) hasRoom(n *node, t *task) bool {
	want := reservation(t)
	free := n.Description.Resources

	for _, other := range c.tasks {
		if other.NodeID == n.ID && !other.over() {
			r := reservation(other)
			free.NanoCPUs -= r.NanoCPUs
			free.MemoryBytes -= r.MemoryBytes
		}
	}

	return want.NanoCPUs <= free.NanoCPUs && want.MemoryBytes <= free.MemoryBytes
}

func reservation(t *task) swarm.Resources {
	if r := t.Spec.Resources; r != nil && r.Reservations != nil {
		return *r.Reservations
	}

	return swarm.Resources{}
}

// portsFree tells whether no other task holds the ports on the node that the task publishes there.
func (c *Cluster) portsFree(n *node, t *task) bool {
	for _, p := range ports(t.endpoint) {
		if p.PublishMode != swarm.PortConfigPublishModeHost || p.PublishedPort == 0 {
			continue
		}

		for _, other := range c.tasks {
			if other.ID == t.ID || other.NodeID != n.ID || other.over() {
				continue
			}

			for _, q := range ports(other.endpoint) {
				if q.PublishMode == swarm.PortConfigPublishModeHost && q.PublishedPort == p.PublishedPort && q.Protocol == p.Protocol {
					return false
				}
			}
		}
	}

	return true
}

// runs tells whether the node is of one of the platforms; without any, every node is.
func (n *node) runs(p *swarm.Placement) bool {
	if p == nil || len(p.Platforms) == 0 {
		return true
	}

	same := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

	return slices.ContainsFunc(p.Platforms, func(want swarm.Platform) bool {
		arch := want.Architecture
		if other, ok := same[arch]; ok {
			arch = other
		}

		return (want.OS == "" || want.OS == n.Description.Platform.OS) && (arch == "" || arch == n.Description.Platform.Architecture)
	})
}
