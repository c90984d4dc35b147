package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/dogker/dogker/controllers/agents"
	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/door"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/telemetry"
)

const agentHelp = `Be the agent of this node, until SIGTERM or SIGINT.

An agent samples what the containers of Swarm's tasks use, and lets servers reach them: for logs, commands, ports. The server
runs one on every node by itself when it is started with --agent-image, so that there is no need to do so by hand: an agent
that Swarm did not start is trusted by nobody.

It listens on all addresses, and answers servers of its own swarm only.`

// agentOptions are the flags of an agent.
type agentOptions struct {
	port     int
	socket   string
	identity string
	log      logFlags
}

func newAgentCommand() *cobra.Command {
	var o agentOptions
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Be the agent of this node; Swarm starts it",
		Long:  agentHelp,
		Example: `  # An image for the agents of all nodes, of this very program, without a registry
  dogker agent image --output agent.tar
  docker load --input agent.tar

  # A server that runs them
  dogker server --agent-image dogker.internal/agent:development`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()

			return runAgent(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.port, "port", agent.Port, "TCP port to listen on, on all addresses of the node")
	flags.StringVar(&o.socket, "engine-socket", "/var/run/docker.sock", "socket of the node's engine")
	flags.StringVar(&o.identity, "identity-file", "/run/secrets/"+agents.SecretFile, "file by which it knows its servers, which Swarm gives it")
	o.log.add(flags)
	cmd.AddCommand(newAgentImageCommand(), newAgentHealthcheckCommand())

	return cmd
}

// Memory of an agent: garbage is collected early, and harder before the limit of the container is reached.
const (
	agentGCPercent   = 50
	agentMemoryLimit = 96 << 20
)

func runAgent(ctx context.Context, o agentOptions) error {
	log, err := o.log.logger(os.Stderr)
	if err != nil {
		return err
	}
	debug.SetGCPercent(agentGCPercent)
	debug.SetMemoryLimit(agentMemoryLimit)

	engine, err := client.NewClientWithOpts(client.WithHost("unix://"+o.socket), client.WithAPIVersionNegotiation())
	if err != nil {
		return fmt.Errorf("make client of the engine: %w", err)
	}
	defer engine.Close()
	self, err := whoAmI(ctx, engine, log)
	if err != nil {
		return err
	}
	bundle, err := os.ReadFile(o.identity)
	if err != nil {
		return fmt.Errorf("read identity: %w", err)
	}
	node, err := pki.NewNode(bundle, self.node, self.container)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+strconv.Itoa(o.port))
	if err != nil {
		return fmt.Errorf("listen for servers: %w", err)
	}

	sampler := agent.NewSampler(engine, agent.SamplerOptions{Node: self.node, Log: log})
	ring := agent.NewRing()
	served := door.New(door.Options{
		Engine: engine, Socket: o.socket, Node: node, Ring: ring, Log: log,
		About: agent.About{
			Version: builtFrom().Dogker, Protocol: agent.Protocol, Node: self.node, Container: self.container,
			Agent: sampler.ID(), Started: time.Now(),
		},
	})
	log.InfoContext(ctx, "Serving as the agent of this node", logkey.Node, self.node, "port", o.port, "version", builtFrom().Dogker)

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return served.Serve(ctx, listener) })
	g.Go(func() error { return served.Guard(ctx) })
	g.Go(func() error {
		return sampler.Run(ctx, func(r telemetry.Report) {
			if err := ring.Add(r); err != nil {
				log.ErrorContext(ctx, "Report was lost", logkey.Err, err)
			}
		})
	})
	g.Go(func() error { return watchSelf(ctx, o.port, bundle) })
	g.Go(func() error { return giveBack(ctx) })

	return g.Wait()
}

// watchSelf asks the agent again and again whether it serves, from outside so to speak, and fails when it does not: Swarm
// starts another one then.
func watchSelf(ctx context.Context, port int, bundle []byte) error {
	const (
		every    = 30 * time.Second
		patience = 3
	)

	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}

		err := door.Healthy(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), bundle)
		if failures++; err == nil || ctx.Err() != nil {
			failures = 0
		}
		if failures >= patience {
			return fmt.Errorf("this agent does not answer itself: %w", err)
		}
	}
}

// giveBack gives back what only the start needed, most of which is the program itself.
func giveBack(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(settled):
		debug.FreeOSMemory()
		dropProgramPages()
	}

	return nil
}

// self is where an agent runs, as its engine says.
type self struct{ node, container string }

// whoAmI asks the engine, which started this process and has to answer sooner or later.
func whoAmI(ctx context.Context, engine *client.Client, log *slog.Logger) (self, error) {
	task := os.Getenv(agents.TaskVariable)
	if task == "" {
		return self{}, fmt.Errorf("%s is not set: agents are started by Swarm, see --help", agents.TaskVariable)
	}

	const shortest, longest = 200 * time.Millisecond, 5 * time.Second
	for wait := shortest; ; wait = min(2*wait, longest) {
		who, err := askWhoAmI(ctx, engine, task)
		if err == nil {
			return who, nil
		}
		log.WarnContext(ctx, "Engine does not say who this is", logkey.Err, err)

		select {
		case <-ctx.Done():
			return self{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func askWhoAmI(ctx context.Context, engine *client.Client, task string) (self, error) {
	const patience = 10 * time.Second

	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	info, err := engine.Info(ctx)
	if err != nil {
		return self{}, fmt.Errorf("ask engine: %w", err)
	}
	if info.Swarm.NodeID == "" {
		return self{}, errors.New("the engine is in no swarm")
	}
	found, err := engine.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", agent.TaskLabel+"="+task))})
	if err != nil {
		return self{}, fmt.Errorf("look for own container: %w", err)
	}
	if len(found) != 1 {
		return self{}, fmt.Errorf("look for own container: %d containers are of task %q", len(found), task)
	}

	return self{node: info.Swarm.NodeID, container: found[0].ID}, nil
}

// newAgentHealthcheckCommand is for people, and for those who give their own image a check of its health. An agent asks
// itself, which is cheaper than a start of this program.
func newAgentHealthcheckCommand() *cobra.Command {
	var port int
	var identity string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the agent on this node whether it is well",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bundle, err := os.ReadFile(identity)
			if err != nil {
				return fmt.Errorf("read identity: %w", err)
			}

			return door.Healthy(cmd.Context(), net.JoinHostPort("127.0.0.1", strconv.Itoa(cmp.Or(port, agent.Port))), bundle)
		},
	}
	cmd.Flags().IntVar(&port, "port", agent.Port, "TCP port that the agent listens on")
	cmd.Flags().StringVar(&identity, "identity-file", "/run/secrets/"+agents.SecretFile, "file by which the agent knows its servers")

	return cmd
}
