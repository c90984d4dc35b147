package swarm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
)

// node is a member of the swarm, with the containers that its engine runs.
type node struct {
	born
	swarm.Node
	// downAt is when the managers take a node for down that does not answer any more; zero for one that does.
	downAt time.Time
}

// heartbeat is after how long the managers take a silent node for down.
const heartbeat = 15 * time.Second

func (c *Cluster) addNode(name string, manager bool) {
	n := &node{born: c.next()}
	n.ID = c.newID()
	n.Meta = c.meta(n.Meta)
	n.Spec = swarm.NodeSpec{
		Annotations:  swarm.Annotations{Labels: map[string]string{}},
		Role:         swarm.NodeRoleWorker,
		Availability: swarm.NodeAvailabilityActive,
	}
	n.Description = swarm.NodeDescription{
		Hostname:  name,
		Platform:  swarm.Platform{Architecture: "x86_64", OS: "linux"},
		Resources: swarm.Resources{NanoCPUs: 4e9, MemoryBytes: 8 << 30},
		Engine:    swarm.EngineDescription{EngineVersion: engineVersion},
	}
	n.Status = swarm.NodeStatus{State: swarm.NodeStateReady, Addr: fmt.Sprintf("192.0.2.%d", len(c.nodes)+1)}

	if manager {
		n.Spec.Role = swarm.NodeRoleManager
		n.ManagerStatus = &swarm.ManagerStatus{Leader: true, Reachability: swarm.ReachabilityReachable, Addr: n.Status.Addr + ":2377"}
	}

	c.nodes[n.ID] = n
	c.emit(events.NodeEventType, events.ActionCreate, n.ID, map[string]string{"name": ""})
}

// AddNode lets a worker join.
func (c *Cluster) AddNode(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.addNode(name, false)
	c.nodesChanged()
	c.settle()
}

// NodeList lists the nodes.
func (c *Client) NodeList(ctx context.Context, _ swarm.NodeListOptions) ([]swarm.Node, error) {
	return do(ctx, c, "NodeList", "", false, func() ([]swarm.Node, error) {
		var out []swarm.Node
		for _, n := range sorted(c.cluster.nodes) {
			out = append(out, show(n.Node))
		}

		return out, nil
	})
}

// EditNode changes a node as `docker node update` does.
func (c *Cluster) EditNode(name string, change func(*swarm.Node)) {
	c.mu.Lock()
	defer c.mu.Unlock()

	n := c.nodeNamed(name)
	change(&n.Node)
	n.Meta = c.meta(n.Meta)
	c.emit(events.NodeEventType, events.ActionUpdate, n.ID, map[string]string{"name": name})
	c.nodesChanged()
	c.settle()
}

// CutNode takes a node off the network. Its containers go on; the managers notice after their heartbeat.
func (c *Cluster) CutNode(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.nodeNamed(name).downAt = time.Now().Add(heartbeat)
	c.settle()
}

// HealNode puts a node back on the network. What it was meant to stop meanwhile it stops now.
func (c *Cluster) HealNode(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	n := c.nodeNamed(name)
	n.downAt = time.Time{}
	c.setNodeState(n, swarm.NodeStateReady)
	c.settle()
}

func (c *Cluster) nodeNamed(name string) *node {
	for _, n := range c.nodes {
		if n.Description.Hostname == name {
			return n
		}
	}

	panic(fmt.Sprintf("fake swarm: there is no node %q", name))
}

// cut is true for a node that nobody hears of, whether the managers know or not.
func (n *node) cut() bool { return !n.downAt.IsZero() }

func (c *Cluster) setNodeState(n *node, state swarm.NodeState) {
	if n.Status.State == state {
		return
	}

	old := n.Status.State
	n.Status.State = state
	n.Status.Message = ""

	if state == swarm.NodeStateDown {
		n.Status.Message = "heartbeat failure"
	}

	n.Meta = c.meta(n.Meta)
	c.emit(events.NodeEventType, events.ActionUpdate, n.ID, map[string]string{
		"name": n.Description.Hostname, "state.old": string(old), "state.new": string(state),
	})
	c.nodesChanged()
}

// watchNodes takes nodes for down that have been silent for too long.
func (c *Cluster) watchNodes() {
	for _, n := range sorted(c.nodes) {
		if n.cut() && n.Status.State == swarm.NodeStateReady && c.due(n.downAt) {
			c.setNodeState(n, swarm.NodeStateDown)
		}
	}
}

// nodesChanged makes the orchestrators look at every service again.
func (c *Cluster) nodesChanged() {
	for id := range c.services {
		c.touch(id)
	}
}

// usable is false for a node whose tasks must run elsewhere.
func (n *node) usable() bool {
	return n != nil && n.Status.State == swarm.NodeStateReady && n.Spec.Availability != swarm.NodeAvailabilityDrain
}

// satisfies tells whether the node meets all constraints.
func (n *node) satisfies(constraints []string) bool {
	for _, constraint := range constraints {
		key, value, equal := splitConstraint(constraint)
		if (strings.EqualFold(n.property(key), value)) != equal {
			return false
		}
	}

	return true
}

func splitConstraint(s string) (key, value string, equal bool) {
	if k, v, ok := strings.Cut(s, "!="); ok {
		return strings.TrimSpace(k), strings.TrimSpace(v), false
	}

	k, v, _ := strings.Cut(s, "==")

	return strings.TrimSpace(k), strings.TrimSpace(v), true
}

func (n *node) property(key string) string {
	switch key {
	case "node.id":
		return n.ID
	case "node.hostname":
		return n.Description.Hostname
	case "node.role":
		return string(n.Spec.Role)
	case "node.ip":
		return n.Status.Addr
	case "node.platform.os":
		return n.Description.Platform.OS
	case "node.platform.arch":
		return n.Description.Platform.Architecture
	}

	if label, ok := strings.CutPrefix(key, "node.labels."); ok {
		return n.Spec.Labels[label]
	}

	if label, ok := strings.CutPrefix(key, "engine.labels."); ok {
		return n.Description.Engine.Labels[label]
	}

	return ""
}

// NodeInspectWithRaw shows a node.
func (c *Client) NodeInspectWithRaw(ctx context.Context, ref string) (swarm.Node, []byte, error) {
	n, err := do(ctx, c, "NodeInspectWithRaw", ref, false, func() (swarm.Node, error) {
		n, ok := find(c.cluster.nodes, ref, func(n *node) string { return n.Description.Hostname })
		if !ok {
			return swarm.Node{}, notFound("node", ref)
		}

		return show(n.Node), nil
	})

	return n, nil, err
}
