package swarm

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
)

// halfKnown is for how long the engine answers 500 instead of 404 about a network that was removed while containers on
// it were still stopping.
const halfKnown = 3 * time.Second

type networkObject struct {
	born
	network.Inspect
}

type networkOptions struct {
	driver  string
	labels  map[string]string
	options network.CreateOptions
	ingress bool
}

func (c *Cluster) addNetwork(name string, o networkOptions) *networkObject {
	n := &networkObject{born: c.next()}
	c.meta(swarm.Meta{})
	n.Inspect = network.Inspect{
		Name: name, ID: c.newID(), Created: time.Now().UTC(), Scope: "swarm", Driver: o.driver, Ingress: o.ingress,
		IPAM:       c.allocate(o.options.IPAM),
		Attachable: o.options.Attachable, Internal: o.options.Internal,
		Options: map[string]string{"com.docker.network.driver.overlay.vxlanid_list": fmt.Sprint(4096 + len(c.networks))},
		Labels:  orEmpty(o.labels),
	}

	for k, v := range o.options.Options {
		n.Options[k] = v
	}

	c.networks[n.ID] = n
	c.emit(events.NetworkEventType, events.ActionCreate, n.ID, map[string]string{"name": name})

	return n
}

// allocate gives a network its addresses: those that were asked for, or the next /24. One that asks for what another
// network has is given none, and is told nothing.
func (c *Cluster) allocate(asked *network.IPAM) network.IPAM {
	given := func(configs ...network.IPAMConfig) network.IPAM {
		return network.IPAM{Driver: "default", Config: configs}
	}

	if asked != nil && len(asked.Config) > 0 {
		if c.subnetTaken(asked.Config[0].Subnet) {
			return network.IPAM{}
		}

		return given(asked.Config...)
	}

	for i := len(c.networks); ; i++ {
		subnet := fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)
		if !c.subnetTaken(subnet) {
			return given(network.IPAMConfig{Subnet: subnet, Gateway: fmt.Sprintf("10.%d.%d.1", i/256, i%256)})
		}
	}
}

func (c *Cluster) subnetTaken(subnet string) bool {
	want, err := netip.ParsePrefix(subnet)
	if err != nil {
		return true
	}

	for _, n := range c.networks {
		for _, held := range n.IPAM.Config {
			if p, err := netip.ParsePrefix(held.Subnet); err == nil && p.Overlaps(want) {
				return true
			}
		}
	}

	return false
}

// NetworkCreate makes a network of the swarm.
func (c *Client) NetworkCreate(ctx context.Context, name string, options network.CreateOptions) (network.CreateResponse, error) {
	return do(ctx, c, "NetworkCreate", name, true, func() (network.CreateResponse, error) {
		if options.Driver != "overlay" {
			return network.CreateResponse{}, refuse(http.StatusNotImplemented, "fake swarm: network driver %q is not modelled", options.Driver)
		}

		for _, n := range c.cluster.networks {
			if n.Name == name {
				return network.CreateResponse{}, refuse(http.StatusConflict, "network with name %s already exists", name)
			}
		}

		n := c.cluster.addNetwork(name, networkOptions{driver: options.Driver, labels: clone(options.Labels), options: clone(options)})

		return network.CreateResponse{ID: n.ID}, nil
	})
}

// NetworkList lists the networks of the swarm.
func (c *Client) NetworkList(ctx context.Context, options network.ListOptions) ([]network.Summary, error) {
	return do(ctx, c, "NetworkList", "", false, func() ([]network.Summary, error) {
		var out []network.Summary

		for _, n := range sorted(c.cluster.networks) {
			f := options.Filters
			if (f.Len() == 0 || f.Match("name", n.Name) && byPrefix(f.Get("id"), n.ID)) &&
				f.MatchKVList("label", n.Labels) && f.ExactMatch("driver", n.Driver) && f.ExactMatch("scope", n.Scope) {
				out = append(out, show(n.Inspect))
			}
		}

		return out, nil
	})
}

// NetworkInspect shows one network.
func (c *Client) NetworkInspect(ctx context.Context, ref string, _ network.InspectOptions) (network.Inspect, error) {
	return do(ctx, c, "NetworkInspect", ref, false, func() (network.Inspect, error) {
		n, ok := find(c.cluster.networks, ref, (*networkObject).name)
		if !ok {
			return network.Inspect{}, notFound("network", ref)
		}

		return show(n.Inspect), nil
	})
}

// NetworkRemove removes a network that no service refers to. Tasks that are still stopping do not hold it, which is a
// trap: what they leave behind is lost for good.
func (c *Client) NetworkRemove(ctx context.Context, ref string) error {
	_, err := do(ctx, c, "NetworkRemove", ref, true, func() (struct{}, error) {
		n, ok := find(c.cluster.networks, ref, (*networkObject).name)
		if !ok {
			if gone, known := c.cluster.removed[ref]; known && time.Since(gone) < halfKnown {
				return struct{}{}, refuse(http.StatusInternalServerError, "network %s not found", ref)
			}

			return struct{}{}, notFound("network", ref)
		}

		for _, s := range sorted(c.cluster.services) {
			for _, attached := range s.Spec.TaskTemplate.Networks {
				if attached.Target == n.ID {
					return struct{}{}, refuse(http.StatusBadRequest,
						"rpc error: code = FailedPrecondition desc = network %s is in use by service %s", n.ID, s.ID)
				}
			}
		}

		if c.cluster.tasksOn(n.ID) > 0 {
			c.cluster.leaked++
			c.cluster.removed[n.ID] = time.Now()
			c.cluster.removed[n.Name] = time.Now()
		}

		delete(c.cluster.networks, n.ID)
		c.cluster.meta(swarm.Meta{})
		c.cluster.emit(events.NetworkEventType, events.ActionRemove, n.ID, map[string]string{"name": n.Name})

		return struct{}{}, nil
	})

	return err
}

func (n *networkObject) name() string { return n.Name }

// tasksOn counts the tasks on the network whose containers have not stopped.
func (c *Cluster) tasksOn(id string) int {
	count := 0

	for _, t := range c.tasks {
		for _, attached := range t.Spec.Networks {
			if attached.Target == id && !t.over() {
				count++
			}
		}
	}

	return count
}

// LeakedAddresses is how many networks were removed too early, each of which costs addresses that only a restart of the
// leader gives back.
func (c *Cluster) LeakedAddresses() int {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.leaked
}
