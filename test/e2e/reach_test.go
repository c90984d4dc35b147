//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// answersWithin is how long a scan waits for each connection. Everything is on one machine.
	answersWithin = 500 * time.Millisecond
	// ofTheApp is where the lab's image serves, and hiddenPort where a second process of a container does, which its
	// declaration says nothing of.
	ofTheApp   = 8080
	hiddenPort = 39999
	// nodePort is published by the second tenant.
	nodePort = 18443
)

// ofSwarm are the ports of a node that its containers reach whoever they belong to. Swarm cannot keep them away, as the
// security guide says, and each of them asks for a certificate.
var ofSwarm = []uint16{2377, 7946}

// TestTenantsCannotReachEachOther looks at one tenant from inside the containers of another: for its names, for its
// addresses, and on all ports of each. Both have containers of the same names.
func TestTenantsCannotReachEachOther(t *testing.T) {
	t.Parallel()

	for name, nodes := range map[string]int{"OneNode": 1, "ThreeNodes": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCell(t, lab.Options{Nodes: nodes})
			a, home := c.declared(t, "alpha")
			b, owner := c.declared(t, "beta")

			publish := func(tc *v1alpha1.TenantContainer) {
				tc.Spec.Ports = []v1alpha1.Port{{ContainerPort: ofTheApp, Publish: &v1alpha1.PortPublication{
					Mode: v1alpha1.PublishHost, Port: nodePort,
				}}}
			}
			spread := replicas(int32(nodes)) //nolint:gosec // three at most
			for _, n := range []*tenant{a, b} {
				n.create(app("web", "v1", spread))
				n.create(app("db", "v1", spread))
			}
			b.create(app("shop", "v1", publish))
			a.ready("web")
			a.ready("db")
			b.ready("web")
			b.ready("db")
			b.ready("shop")

			strangers := b.insides("web", "db", "shop")
			for _, s := range strangers {
				s.listen(t)
			}
			ours := a.insides("web")
			if len(ours) != nodes {
				t.Fatalf("containers that look: got %d, want one on each of %d nodes", len(ours), nodes)
			}
			near := a.insides("db")
			shop := strangers[len(strangers)-1] // It publishes a port.
			own, other := subnetOf(home), subnetOf(owner)
			if own.Overlaps(other) {
				t.Fatalf("the subnets of the tenants are %s and %s", own, other)
			}
			looked := false

			for _, from := range ours {
				from.wantOwnNames(t, a, near)
				from.wantNoNames(t, b, strangers)
				from.wantNoAddresses(t, own, other, strangers, near)
				beside := from.task.NodeID == shop.task.NodeID
				looked = looked || beside
				for _, p := range shop.addresses {
					// An address in the bridge of another node is another container's, and may be of the one that looks.
					if beside || other.Contains(p.Addr()) {
						from.wantNoPorts(t, p.Addr())
					}
				}
			}
			if !looked {
				t.Errorf("no container of %q is on node %s, where that port is published: this proves nothing", a.name, shop.task.NodeID)
			}
			ours[0].wantNodePortsOnly(t, c)
		})
	}
}

func subnetOf(tenant *v1alpha1.Tenant) netip.Prefix {
	return netip.MustParsePrefix(tenant.Status.Network.Subnet)
}

// inside is a task, seen from inside its container's network.
type inside struct {
	service   string
	task      swarm.Task
	pid       int
	addresses []netip.Prefix
}

// insides are the running tasks of containers.
func (n *tenant) insides(names ...string) []inside {
	n.t.Helper()

	var all []inside
	for _, name := range names {
		for _, task := range n.running(name) {
			in := inside{service: swarmobj.ServiceName(n.name, name), task: task, pid: task.Status.ContainerStatus.PID}
			var err error
			if in.addresses, err = lab.ContainerAddresses(in.pid); err != nil {
				n.t.Fatalf("addresses of a task of %q: %v", name, err)
			}
			if len(in.addresses) == 0 {
				n.t.Fatalf("a task of %q has no address", name)
			}
			all = append(all, in)
		}
	}

	return all
}

// listen opens a port that no declaration mentions, for as long as the test runs.
func (in inside) listen(t *testing.T) {
	t.Helper()

	l, err := lab.ListenContainer(t.Context(), in.pid, "tcp4", fmt.Sprintf(":%d", hiddenPort))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
}

// lookup asks the engine for a name, as a process of the container does.
func (in inside) lookup(name string) []string {
	ctx, cancel := contextFor(instant)
	defer cancel()

	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return lab.DialContainer(ctx, in.pid, network, "127.0.0.11:53")
	}}
	found, _ := r.LookupHost(ctx, name+".")

	return found
}

// wantOwnNames is what makes the rest mean something: names of the own tenant lead to the own tenant's containers.
func (in inside) wantOwnNames(t *testing.T, own *tenant, near []inside) {
	t.Helper()

	for _, name := range []string{"db", "tasks.db", swarmobj.ServiceName(own.name, "db")} {
		found := in.lookup(name)
		if len(found) != len(near) {
			t.Errorf("%s: got %v, want an address for each of %d tasks", name, found, len(near))
		}
		for _, address := range found {
			if !slices.ContainsFunc(near, func(n inside) bool { return n.has(netip.MustParseAddr(address)) }) {
				t.Errorf("%s leads to %s, which is no container of %q", name, address, own.name)
			}
		}
	}
}

func (in inside) has(address netip.Addr) bool {
	return slices.ContainsFunc(in.addresses, func(p netip.Prefix) bool { return p.Addr() == address })
}

// wantNoNames asks for everything that the other tenant's containers are called by.
func (in inside) wantNoNames(t *testing.T, other *tenant, strangers []inside) {
	t.Helper()

	network := swarmobj.NetworkName(other.name)
	names := []string{"shop", "tasks.shop", network}
	for _, name := range []string{"web", "db", "shop"} {
		service := swarmobj.ServiceName(other.name, name)
		names = append(names, service, "tasks."+service, name+"."+network, service+"."+network, name+"."+other.name)
	}
	for _, s := range strangers {
		names = append(names, s.task.Status.ContainerStatus.ContainerID[:12], s.task.ID,
			fmt.Sprintf("%s.%d.%s", s.service, s.task.Slot, s.task.ID))
	}

	// The engine asks the servers of its node for what it does not know, and here they never answer.
	var asked sync.WaitGroup
	for _, name := range names {
		asked.Go(func() {
			if found := in.lookup(name); len(found) > 0 {
				t.Errorf("%s, of tenant %q, leads to %v", name, other.name, found)
			}
		})
	}
	asked.Wait()
}

// wantNoAddresses knocks at every address of the other tenant's subnet, and of each network that its containers have a
// foot in. At the same time it knocks at its own neighbours, who must answer, in their own subnet only: in the bridge
// that each node has for all of its containers, an address is another container's on another node.
func (in inside) wantNoAddresses(t *testing.T, own, other netip.Prefix, strangers, near []inside) {
	t.Helper()

	prefixes := []netip.Prefix{other}
	for _, s := range strangers {
		for _, p := range s.addresses {
			prefixes = append(prefixes, netip.PrefixFrom(p.Addr(), max(p.Bits(), 24)).Masked())
		}
	}
	slices.SortFunc(prefixes, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })

	var targets []netip.AddrPort
	for _, prefix := range slices.Compact(prefixes) {
		for address := prefix.Addr(); prefix.Contains(address); address = address.Next() {
			targets = append(targets, netip.AddrPortFrom(address, ofTheApp), netip.AddrPortFrom(address, hiddenPort))
		}
	}
	var mustAnswer []netip.AddrPort
	for _, n := range near {
		for _, p := range n.addresses {
			if own.Contains(p.Addr()) {
				mustAnswer = append(mustAnswer, netip.AddrPortFrom(p.Addr(), ofTheApp))
			}
		}
	}
	if len(mustAnswer) != len(near) {
		t.Errorf("containers of the own tenant: got the addresses %v in %s, want one of each of %d", mustAnswer, own, len(near))
	}

	targets = append(targets, mustAnswer...)
	open := in.scan(t, targets)
	for _, target := range open {
		if !in.has(target.Addr()) && !own.Contains(target.Addr()) {
			t.Errorf("%s answers, and is no container of the tenant", target)
		}
	}
	for _, neighbour := range mustAnswer {
		if !slices.Contains(open, neighbour) {
			t.Errorf("%s, of the own tenant, does not answer: this proves nothing", neighbour)
		}
	}
	t.Logf("knocked at %d doors, %d of them opened", len(targets), len(open))
}

// wantNoPorts knocks at every port of an address that a container of the other tenant has.
func (in inside) wantNoPorts(t *testing.T, address netip.Addr) {
	t.Helper()

	if open := in.scan(t, allPorts(address)); len(open) > 0 {
		t.Errorf("containers of the other tenant answer at %v", open)
	}
}

// wantNodePortsOnly knocks at every port of the nodes. What is published is for everybody; nothing else is.
func (in inside) wantNodePortsOnly(t *testing.T, c *cell) {
	t.Helper()

	published := false
	for _, node := range c.lab.Nodes {
		for _, target := range in.scan(t, allPorts(netip.MustParseAddr(node.Address))) {
			switch {
			case target.Port() == nodePort:
				published = true
			case !slices.Contains(ofSwarm, target.Port()):
				t.Errorf("%s of a node answers, and nothing asks for it", target)
			}
		}
	}
	if !published {
		t.Error("the port that is published does not answer: this proves nothing")
	}
}

func allPorts(address netip.Addr) []netip.AddrPort {
	var all []netip.AddrPort
	for port := range uint16(65535) {
		all = append(all, netip.AddrPortFrom(address, port+1))
	}

	return all
}

func (in inside) scan(t *testing.T, targets []netip.AddrPort) []netip.AddrPort {
	t.Helper()

	open, err := lab.ScanContainer(t.Context(), in.pid, targets, answersWithin)
	if err != nil {
		t.Fatalf("scan from a container: %v", err)
	}

	return open
}
