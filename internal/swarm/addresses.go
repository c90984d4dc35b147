package swarm

import (
	"context"
	"net/netip"
	"time"

	"github.com/docker/docker/api/types/network"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// unaddressedDelay is how long after a look a network that had no addresses yet is read again.
const unaddressedDelay = 300 * time.Millisecond

// LookNetwork shows what is known of the network of an owner's namespace, at the cost that Look has. The owner is told when
// something changes there.
func (e *Engine) LookNetwork(ctx context.Context, o swarmobj.Owner) (swarmobj.NetworkView, error) {
	e.awaitFirstAnswer(ctx)

	if err := e.blindFor(o); err != nil {
		return swarmobj.NetworkView{}, err
	}
	if err := e.settle(ctx, o.Tenant); err != nil {
		return swarmobj.NetworkView{}, err
	}

	e.mu.Lock()
	defer e.mu.Unlock()

	e.waiting.add(o)

	v := swarmobj.NetworkView{Nodes: len(e.cache.nodes)}
	v.Network, v.Squatter = e.cache.networkOf(o.Tenant)

	if v.Network == nil {
		return v, nil
	}

	v.Used = e.cache.addressesUsed(o.Tenant, v.Network.ID)

	if len(v.Network.Subnets) == 0 {
		// No event tells that it has been given some.
		e.soon(kindNetwork, v.Network.ID, unaddressedDelay)
	}

	return v, nil
}

// Subnets are those of all networks that the engine knows, ours or not, its own or the swarm's, but the one with the ID
// except. They fail while nothing is known.
func (e *Engine) Subnets(_ context.Context, except string) ([]netip.Prefix, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	if e.state != nil {
		return nil, e.state
	}

	var out []netip.Prefix
	for id, it := range e.cache.networks {
		if id != except {
			out = append(out, it.overlay.subnets...)
		}
	}

	return out, nil
}

// addressesUsed counts the addresses that the containers of a namespace hold in its network: one for each task that has
// not ended, one for each virtual IP, and one for each node with a task, through which the node balances load.
func (c *cache) addressesUsed(namespace, networkID string) int {
	used, nodes := 0, map[string]bool{}

	for uid := range c.within[namespace] {
		for _, s := range c.owned[uid] {
			for _, vip := range s.shown.Endpoint.VirtualIPs {
				if vip.NetworkID == networkID {
					used++
				}
			}

			for _, t := range s.tasks {
				if t.Ended() {
					continue
				}

				used++
				if t.NodeID != "" {
					nodes[t.NodeID] = true
				}
			}
		}
	}

	return used + len(nodes)
}

// subnetsOf are the subnets that a network has been given.
func subnetsOf(n network.Summary) []netip.Prefix {
	var out []netip.Prefix

	for _, c := range n.IPAM.Config {
		if p, err := netip.ParsePrefix(c.Subnet); err == nil {
			out = append(out, p.Masked())
		}
	}

	return out
}
