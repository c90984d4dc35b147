package agent

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/docker/docker/api/types/network"
)

// gateway is the network by which containers of overlay networks reach their node, and their node them. The engine makes it
// on every node of a swarm. Nothing else on the node reaches them by it, neither containers of other networks nor their
// neighbours in it: that is why agents are in the network of their host.
const gateway = "docker_gwbridge"

// NetworkInspector shows a network of an engine. *client.Client is one.
type NetworkInspector interface {
	NetworkInspect(ctx context.Context, id string, o network.InspectOptions) (network.Inspect, error)
}

// ContainerAddress is where the node itself reaches a container. It is asked for each time: an address is given to another
// container once the one that had it is gone.
func ContainerAddress(ctx context.Context, e NetworkInspector, container string) (netip.Addr, error) {
	n, err := e.NetworkInspect(ctx, gateway, network.InspectOptions{Scope: "local"})
	if err != nil {
		return netip.Addr{}, fmt.Errorf("look up address of the container: %w", err)
	}
	endpoint, ok := n.Containers[container]
	if !ok {
		return netip.Addr{}, errors.New("the container has no address that its node can reach: it has ended, or all its networks are internal")
	}
	prefix, err := netip.ParsePrefix(endpoint.IPv4Address)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("read address of the container: %w", err)
	}

	return prefix.Addr(), nil
}
