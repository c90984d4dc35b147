package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	fake "github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/fake/swarm/wire"
	"github.com/dogker/dogker/internal/lab"
)

// swarmVariable makes a process of the benchmark a swarm in memory.
const swarmVariable = "DOGKER_BENCH_SWARM"

// Swarm is a swarm in memory, in a process of its own, that servers and Docker's program talk to as they talk to an engine. It
// holds more tasks than one machine has room for, since they are no containers. What it says of how long an engine takes
// is nothing; what its callers make of the same answers can be compared.
type Swarm struct {
	*helper

	// Docker is its client.
	Docker *client.Client
	// Host is its DOCKER_HOST.
	Host string
}

// SwarmMain runs the swarm and never returns if this process was started to be one. It must come first in main.
func SwarmMain() { help("swarm", swarmVariable, serveSwarm) }

// serveSwarm runs until the benchmark ends. Its only node has room for everything.
func serveSwarm(node string) error {
	at := time.Millisecond
	cluster := fake.NewCluster(fake.Options{
		Nodes:   []string{node},
		Latency: fake.Latency{Orchestrate: at, Schedule: at, Dispatch: at, Prepare: at, Start: at, Stop: at},
	})
	cluster.AddImage(fake.Image{Ref: lab.Image("v1"), ID: "sha256:" + strings.Repeat("1", 64)})
	cluster.EditNode(node, func(n *swarm.Node) {
		n.Description.Resources = swarm.Resources{NanoCPUs: 1e15, MemoryBytes: 1 << 50}
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: wire.Handler(cluster.Client(fake.ClientOptions{}))}
	go func() { _ = server.Serve(l) }()
	announce(l.Addr().String())

	return server.Close()
}

// StartSwarm starts a swarm in memory. The caller must call Stop.
func StartSwarm() (*Swarm, error) {
	h, err := startHelper(swarmVariable, "node-1")
	if err != nil {
		return nil, fmt.Errorf("start swarm in memory: %w", err)
	}

	s := &Swarm{helper: h, Host: "tcp://" + h.address}
	if s.Docker, err = client.NewClientWithOpts(client.WithHost(s.Host), client.WithAPIVersionNegotiation()); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to swarm in memory: %w", err), h.stop())
	}

	return s, nil
}

// Process is the swarm.
func (s *Swarm) Process() Process { return s.process() }

// Stop ends the swarm.
func (s *Swarm) Stop() error { return s.stop() }

// AwaitRunning waits until the swarm has so many tasks that run, and returns the IDs of its services.
func (s *Swarm) AwaitRunning(ctx context.Context, n int) (services []string, err error) {
	err = poll(ctx, 200*time.Millisecond, fmt.Sprintf("wait until %d tasks run", n), func() (bool, error) {
		tasks, err := s.Docker.TaskList(ctx, swarm.TaskListOptions{})
		running := 0
		for _, t := range tasks {
			if t.Status.State == swarm.TaskStateRunning {
				running++
			}
		}

		return running == n, err
	})
	if err != nil {
		return nil, err
	}

	list, err := s.Docker.ServiceList(ctx, swarm.ServiceListOptions{})
	for _, one := range list {
		services = append(services, one.ID)
	}

	return services, err
}
