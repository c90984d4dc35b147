package main

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/distribution/reference"
	dockerswarm "github.com/docker/docker/api/types/swarm"
	"github.com/spf13/pflag"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/dogker/dogker/controllers/agents"
	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/authority"
	"github.com/dogker/dogker/internal/controlplane/bootstrap"
	"github.com/dogker/dogker/internal/swarm"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

var _ agents.Swarm = (*swarm.Engine)(nil)

// agentFlags say which agents the server runs on nodes.
type agentFlags struct {
	image  string
	port   uint16
	socket string
}

func (f *agentFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.image, "agent-image", "", "image that the agents of all other nodes run, as `dogker agent image` writes one; none are run when not set")
	flags.Uint16Var(&f.port, "agent-port", agent.Port, "TCP port of nodes that agents listen on and the server connects to")
	flags.StringVar(&f.socket, "agent-engine-socket", "/var/run/docker.sock", "socket of the engine on nodes; may hold Swarm's placeholders, such as {{.Node.Hostname}}")
}

// validate says what is wrong with the flags.
func (f *agentFlags) validate() error {
	if f.image == "" {
		return nil
	}
	if _, err := reference.ParseNormalizedNamed(f.image); err != nil {
		return fmt.Errorf("--agent-image %q must be the name of an image: %w", f.image, err)
	}
	if f.port == 0 {
		return fmt.Errorf("--agent-port %d must be from 1 to 65535", f.port)
	}
	if !path.IsAbs(f.socket) || path.Clean(f.socket) != f.socket {
		return fmt.Errorf("--agent-engine-socket %q must be an absolute path, without . and .. in it", f.socket)
	}

	return nil
}

// fleet says to the fleet which agents there are.
func (f *agentFlags) fleet(d *docker) fleetOptions {
	o := fleetOptions{port: f.port, on: d.agentOn}
	if f.image == "" {
		o.none = noAgents
	}

	return o
}

// agentOn is the container that runs the agent of a node, as Swarm says; false when none is meant to run there.
func (d *docker) agentOn(node string) (container string, deployed bool) {
	for _, owner := range d.Owners() {
		if owner.Kind != swarmobj.KindAgents {
			continue
		}
		for _, s := range d.ServicesOf(owner) {
			for _, t := range s.Tasks {
				if t.NodeID == node && t.Desired == dockerswarm.TaskStateRunning && !t.Ended() && t.Container != "" {
					return t.Container, true
				}
			}
		}
	}

	return "", false
}

// registerAgents adds what keeps the agents, and on every server what keeps the authority by which they are known. Where no
// agents are wanted there is none.
func registerAgents(m manager.Manager, c *controllers, digests swarmobj.DigestKey) error {
	f, docker := c.options.agents, c.docker

	// The keeper asks past the cache: there, another server's authority would not be seen in time.
	api, err := client.New(c.server.LoopbackConfig(), client.Options{Scheme: m.GetScheme()})
	if err != nil {
		return fmt.Errorf("create client of the authority of agents: %w", err)
	}
	keeper := authority.Keeper{
		Client: api, Namespace: bootstrap.Namespace, Identity: c.fleet.identity,
		Log: c.log.With(logkey.Component, "agents"),
	}
	if f.image != "" {
		if err := m.Add(everywhere(keeper.Run)); err != nil {
			return fmt.Errorf("add authority of agents: %w", err)
		}
	}

	recorder := m.GetEventRecorderFor("dogker") //nolint:staticcheck // kubectl describe shows these for every kind.
	loop := agents.New(m.GetAPIReader(), docker.Engine, recorder, agents.Options{
		Namespace: bootstrap.Namespace,
		Image:     f.image, Port: int(f.port), Socket: f.socket,
		OwnNode: c.ownNode,
		Bundle:  func(ctx context.Context) ([]byte, error) { return bundle(ctx, keeper) },
		Digests: digests,
	}, c.log, ctrlmetrics.Registry)
	docker.Subscribe(loop.Hint)
	if err := m.Add(loop); err != nil {
		return fmt.Errorf("add controller of agents: %w", err)
	}

	return nil
}

// bundle is that of the authority as it is now: a server that has just begun to lead may know an older one.
func bundle(ctx context.Context, k authority.Keeper) ([]byte, error) {
	if err := k.Keep(ctx, time.Now()); err != nil {
		return nil, err
	}
	b, known := k.Identity.Bundle()
	if !known {
		return nil, fmt.Errorf("the authority of agents is not known yet")
	}

	return b, nil
}

// ownNode is the node whose engine this server asks itself. With a store that other servers may share, all nodes get an
// agent: see agents.Options.
func (c *controllers) ownNode() (id string, known bool) {
	if len(c.options.EtcdEndpoints) > 0 {
		return "", true
	}
	id = c.docker.OwnNode()

	return id, id != ""
}
