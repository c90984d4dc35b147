package main

import (
	"context"
	"fmt"
	"log/slog"

	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// fleetParts reach the containers of all nodes, and remember what they use. Every server has them, whoever leads: what is
// known of a node is not to be asked of another server.
type fleetParts struct {
	// Fleet is a fleet.Runtime, and says how the agents of nodes stand.
	*fleet.Fleet

	// identity is who this server is to agents. It knows nobody until the authority of agents has been read.
	identity *pki.Identity
	// store is a telemetry.Reader.
	store *telemetry.Store
}

// fleetOptions say which agents there are.
type fleetOptions struct {
	// port that they listen on; 0 for the usual one.
	port uint16
	// none says why there are none; empty when there are.
	none string
	// on is the container that runs the agent of a node.
	on func(node string) (container string, deployed bool)
}

// noAgents is what people are told who need an agent where none is deployed.
const noAgents = "the server was started without --agent-image, so that no agents are deployed"

// newFleet makes the fleet of the engine that the server is connected to. It is there before the API, which serves logs and
// commands in containers by it.
func newFleet(d *docker, o fleetOptions, log *slog.Logger) *fleetParts {
	p := &fleetParts{identity: pki.NewIdentity(), store: telemetry.NewStore(d.Subject, nil)}
	p.Fleet = fleet.New(fleet.Options{
		Swarm: d.Engine, Engine: d.client, Store: p.store, Connect: p.identity.Connect, AgentOn: o.on,
		Port: o.port, Version: builtFrom().Dogker, NoAgents: o.none, Log: log,
	})
	ctrlmetrics.Registry.MustRegister(p.Fleet)

	return p
}

// registerFleet runs the fleet on every server, until nothing needs it any more. The manager ends what runs under the lease only
// once all else has ended; so it does not wait for the fleet.
func registerFleet(m manager.Manager, c *controllers) error {
	run := func(ctx context.Context) error {
		ended := make(chan error, 1)
		lasting := outlasting(ctx, c.work.Settled, letGo)
		go func() { ended <- c.fleet.Run(lasting) }()

		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return nil
		}
	}
	if err := m.Add(everywhere(run)); err != nil {
		return fmt.Errorf("add connections to nodes: %w", err)
	}

	return nil
}
