package volume

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"pgregory.net/rapid"
)

func TestChoose(t *testing.T) {
	placed := func(constraints ...string) func(*Consumer) {
		return func(c *Consumer) { c.Placement = &swarm.Placement{Constraints: constraints} }
	}
	pinned := func(ids ...string) func(*Consumer) { return func(c *Consumer) { c.Pinned = ids } }
	off := func(c *Consumer) { c.OffManagers = true }
	large := func(c *Consumer) {
		c.Resources = &swarm.ResourceRequirements{Reservations: &swarm.Resources{MemoryBytes: 16 << 30}}
	}

	cases := map[string]struct {
		why  string
		ask  Request
		want string
		says string
	}{
		"Emptiest":       {"The node with the fewest has it.", Request{Nodes: []swarm.Node{node("a"), node("b")}, Volumes: map[string]int{"a": 3, "b": 1}}, "b", ""},
		"NotDown":        {"One that is down makes nothing.", Request{Nodes: []swarm.Node{node("a", down), node("b")}, Volumes: map[string]int{"b": 9}}, "b", ""},
		"NotDrained":     {"Nor does one that gets no tasks.", Request{Nodes: []swarm.Node{node("a", drained), node("b")}}, "b", ""},
		"None":           {"With none of them ready it waits.", Request{Nodes: []swarm.Node{node("a", down)}}, "", "ready and active (host-a)"},
		"Empty":          {"A swarm without nodes has none.", Request{}, "", "no nodes"},
		"Placement":      {"It goes where its container may.", Request{Nodes: []swarm.Node{node("a"), node("b", zone("x"))}, Consumers: []Consumer{web(placed("node.labels.zone == x"))}, Volumes: map[string]int{"b": 9}}, "b", ""},
		"NoPlacement":    {"If that is nowhere, it says whose placement it is.", Request{Nodes: []swarm.Node{node("a")}, Consumers: []Consumer{web(placed("node.labels.zone == x"))}}, "", "spec.placement of TenantContainer web"},
		"Two":            {"All that mount it must be able to run there.", Request{Nodes: []swarm.Node{node("a", zone("x")), node("b", zone("y"))}, Consumers: []Consumer{web(placed("node.labels.zone == x")), web(placed("node.labels.zone == y"))}}, "", "lets it onto no node"},
		"TooLarge":       {"A node that is too small for its container will not do.", Request{Nodes: []swarm.Node{node("a")}, Consumers: []Consumer{web(large)}}, "", "larger than any node"},
		"Beside":         {"It goes where the other volume of its container is.", Request{Nodes: []swarm.Node{node("a"), node("b")}, Consumers: []Consumer{web(pinned("b"))}, Volumes: map[string]int{"b": 9}}, "b", ""},
		"BesideTwo":      {"It cannot be in two places.", Request{Nodes: []swarm.Node{node("a"), node("b")}, Consumers: []Consumer{web(pinned("a", "b"))}}, "", "another volume of TenantContainer web"},
		"OffManagers":    {"Containers of tenants keep off the managers.", Request{Nodes: []swarm.Node{node("a", manager), node("b")}, Consumers: []Consumer{web(off)}, Volumes: map[string]int{"b": 9}}, "b", ""},
		"OnlyManagers":   {"Unless there are no others.", Request{Nodes: []swarm.Node{node("a", manager)}, Consumers: []Consumer{web(off)}}, "a", ""},
		"WorkersDown":    {"While all workers are down it waits for them.", Request{Nodes: []swarm.Node{node("a", manager), node("b", down)}, Consumers: []Consumer{web(off)}}, "", "only managers"},
		"WorkersDrained": {"A worker that is not there for tasks is none.", Request{Nodes: []swarm.Node{node("a", manager), node("b", drained)}, Consumers: []Consumer{web(off)}}, "a", ""},
		"ByHostname":     {"A node can be named by its hostname.", Request{Wish: "host-b", Nodes: []swarm.Node{node("a"), node("b")}, Volumes: map[string]int{"b": 9}}, "b", ""},
		"ByID":           {"Or by its ID.", Request{Wish: "b", Nodes: []swarm.Node{node("a"), node("b")}}, "b", ""},
		"TwoOfAName":     {"A hostname that two have names none.", Request{Wish: "twin", Nodes: []swarm.Node{node("a", called("twin")), node("b", called("twin"))}}, "", "by its ID"},
		"WishDown":       {"A wish for a node that is down waits for it.", Request{Wish: "b", Nodes: []swarm.Node{node("a"), node("b", down)}}, "", "host-b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, why := Choose(tc.ask)
			id := ""
			if got != nil {
				id = got.ID
			}
			if id != tc.want || !strings.Contains(why, tc.says) || (why == "") != (tc.want != "") {
				t.Errorf("%s\ngot %q because %q", tc.why, id, why)
			}
		})
	}
}

// TestChooseHoldsItsPromises: the node is one of those that there are, can be used, is not more loaded than another that would do
// as well, and is the same whatever the order in which nodes are told.
func TestChooseHoldsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ask := Request{Key: rapid.StringMatching(`[a-z]{1,5}/[a-z]{1,5}`).Draw(t, "key"), Volumes: map[string]int{}}
		for _, id := range []string{"a", "b", "c", "d"} {
			n := node(id)
			if rapid.Bool().Draw(t, "down "+id) {
				down(&n)
			}
			if rapid.Bool().Draw(t, "manager "+id) {
				manager(&n)
			}
			ask.Nodes = append(ask.Nodes, n)
			ask.Volumes[id] = rapid.IntRange(0, 3).Draw(t, "volumes "+id)
		}
		if rapid.Bool().Draw(t, "consumer") {
			ask.Consumers = []Consumer{web(func(c *Consumer) { c.OffManagers = rapid.Bool().Draw(t, "off managers") })}
		}

		got, why := Choose(ask)
		turned := ask
		turned.Nodes = slices.Clone(ask.Nodes)
		slices.Reverse(turned.Nodes)
		again, whyAgain := Choose(turned)

		if why != whyAgain || (got == nil) != (again == nil) || got != nil && got.ID != again.ID {
			t.Fatalf("the order of nodes decides: %v (%s) and %v (%s)", got, why, again, whyAgain)
		}
		if got == nil {
			if why == "" {
				t.Fatal("no node, and no reason")
			}
			return
		}
		if got.Status.State != swarm.NodeStateReady {
			t.Fatalf("node %s is down", got.ID)
		}
		for _, n := range ask.Nodes {
			if n.Status.State == swarm.NodeStateReady && n.Spec.Role == got.Spec.Role && ask.Volumes[n.ID] < ask.Volumes[got.ID] {
				t.Fatalf("node %s has fewer than %s", n.ID, got.ID)
			}
		}
	})
}

// TestTiesAreSpread: Volumes that are made together do not all go to one of the nodes that are equally good.
func TestTiesAreSpread(t *testing.T) {
	nodes := []swarm.Node{node("a"), node("b"), node("c")}
	count := map[string]int{}
	for i := range 300 {
		n, why := Choose(Request{Key: "acme/data-" + strings.Repeat("x", i%17) + string(rune('a'+i%26)), Nodes: nodes})
		if n == nil {
			t.Fatal(why)
		}
		count[n.ID]++
	}
	for _, n := range nodes {
		if count[n.ID] == 0 {
			t.Errorf("node %s got none: %v", n.ID, count)
		}
	}
}
