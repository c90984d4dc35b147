package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// endpoint is what ties a container to an address for as long as it is there.
type endpoint struct {
	id      string
	address netip.Addr
}

// ContainerAddress is where the node itself reaches a container. It is asked for each time: an address is given to another
// container once the one that had it is gone. Who connects to it uses DialContainer.
func ContainerAddress(ctx context.Context, e NetworkInspector, container string) (netip.Addr, error) {
	found, err := endpointOf(ctx, e, container)

	return found.address, err
}

func endpointOf(ctx context.Context, e NetworkInspector, container string) (endpoint, error) {
	n, err := e.NetworkInspect(ctx, gateway, network.InspectOptions{Scope: "local"})
	if err != nil {
		return endpoint{}, fmt.Errorf("look up address of the container: %w", err)
	}
	found, ok := n.Containers[container]
	if !ok {
		return endpoint{}, errors.New("the container has no address that its node can reach: it has ended, or all its networks are internal")
	}
	prefix, err := netip.ParsePrefix(found.IPv4Address)
	if err != nil {
		return endpoint{}, fmt.Errorf("read address of the container: %w", err)
	}

	return endpoint{found.EndpointID, prefix.Addr()}, nil
}

// ErrNoAnswer is what a port of a container does that nobody listens on.
var ErrNoAnswer = errors.New("it does not answer")

// DialContainer connects to a TCP port of a container of the engine's own node. Between looking up an address and dialling it
// the container may end and another one, of another tenant, be given its address. So it is looked up once more when the
// connection is made: an endpoint that was there before and after was there all the time. Nothing is sent before.
func DialContainer(ctx context.Context, e NetworkInspector, container string, port uint16) (*net.TCPConn, error) {
	before, err := endpointOf(ctx, e, container)
	if err != nil {
		return nil, err
	}

	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(before.address, port).String())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}

	after, err := endpointOf(ctx, e, container)
	if err == nil && after != before {
		err = errors.New("the container has been given another address")
	}
	if err != nil {
		_ = conn.Close()

		return nil, fmt.Errorf("make sure who was connected to: %w", err)
	}

	return conn.(*net.TCPConn), nil //nolint:forcetypeassert // The network is tcp.
}
