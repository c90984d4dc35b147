package swarm

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/swarm"
)

// Init makes the engine a swarm of one node if it is in none, and says whether it did. An engine that is in a swarm
// already, as a manager or as a worker, is left as it is.
func Init(ctx context.Context, api API) (created bool, err error) {
	info, err := api.Info(ctx)
	if err != nil {
		return false, fmt.Errorf("ask the engine for its swarm: %w", err)
	}
	if info.Swarm.LocalNodeState != swarm.LocalNodeStateInactive {
		return false, nil
	}

	// Docker finds the address by which other nodes may join later. A machine with several addresses, or with none, has
	// to be told; the one that is right on every machine serves a swarm of one node.
	if _, err = api.SwarmInit(ctx, swarm.InitRequest{ListenAddr: "0.0.0.0:2377"}); err != nil {
		_, err = api.SwarmInit(ctx, swarm.InitRequest{ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1"})
	}
	if err != nil {
		return false, fmt.Errorf("make the engine a swarm: %w", err)
	}

	return true, nil
}
