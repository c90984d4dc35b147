package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// swarmPort is where managers listen for other nodes.
const swarmPort = "2377"

// formSwarm makes a swarm on the first node and lets the others join, one after the other: managers that join at the same
// time are refused now and then, because each changes the quorum.
func (l *Lab) formSwarm(ctx context.Context, managers int) error {
	first := l.Nodes[0]

	if _, err := first.Docker.SwarmInit(ctx, swarm.InitRequest{
		ListenAddr:    first.Address + ":" + swarmPort,
		AdvertiseAddr: first.Address,
	}); err != nil {
		return fmt.Errorf("init swarm: %w", err)
	}

	made, err := first.Docker.SwarmInspect(ctx)
	if err != nil {
		return fmt.Errorf("read join tokens: %w", err)
	}

	for i, n := range l.Nodes[1:] {
		token := made.JoinTokens.Worker
		if i+1 < managers {
			token = made.JoinTokens.Manager
		}

		if err := n.Docker.SwarmJoin(ctx, swarm.JoinRequest{
			ListenAddr:    n.Address + ":" + swarmPort,
			AdvertiseAddr: n.Address,
			RemoteAddrs:   []string{first.Address + ":" + swarmPort},
			JoinToken:     token,
		}); err != nil {
			return fmt.Errorf("join node %q: %w", n.Name, err)
		}
	}

	return l.waitNodesReady(ctx)
}

func (l *Lab) waitNodesReady(ctx context.Context) error {
	for {
		ready := 0

		nodes, err := l.Nodes[0].Docker.NodeList(ctx, swarm.NodeListOptions{})
		for _, n := range nodes {
			if n.Status.State == swarm.NodeStateReady {
				ready++
			}
		}
		if err == nil && ready == len(l.Nodes) {
			return nil
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d nodes are ready: %w", ready, len(l.Nodes), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
