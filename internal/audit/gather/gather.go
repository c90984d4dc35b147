package gather

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/volume"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/internal/audit"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Docker is the part of Docker's client that an audit calls.
type Docker interface {
	DaemonHost() string
	Ping(ctx context.Context) (types.Ping, error)
	Info(ctx context.Context) (system.Info, error)
	SwarmInspect(ctx context.Context) (swarm.Swarm, error)
	NodeList(ctx context.Context, options swarm.NodeListOptions) ([]swarm.Node, error)
	ServiceList(ctx context.Context, options swarm.ServiceListOptions) ([]swarm.Service, error)
	TaskList(ctx context.Context, options swarm.TaskListOptions) ([]swarm.Task, error)
	SecretList(ctx context.Context, options swarm.SecretListOptions) ([]swarm.Secret, error)
	ConfigList(ctx context.Context, options swarm.ConfigListOptions) ([]swarm.Config, error)
	NetworkList(ctx context.Context, options network.ListOptions) ([]network.Summary, error)
	NetworkInspect(ctx context.Context, id string, options network.InspectOptions) (network.Inspect, error)
	VolumeInspect(ctx context.Context, name string) (volume.Volume, error)
	ContainerList(ctx context.Context, options container.ListOptions) ([]container.Summary, error)
	ContainerInspect(ctx context.Context, id string) (container.InspectResponse, error)
	ContainerTop(ctx context.Context, id string, arguments []string) (container.TopResponse, error)
}

// Facts are what a service of ours is held against by the allow list.
type Facts struct {
	Owner     swarmobj.Owner
	NetworkID string
	// Secrets and Configs of the namespace: ids by name.
	Secrets, Configs map[string]string
	// ImageID of a service that runs an image without a registry; else empty.
	ImageID string
}

// Options of a collection.
type Options struct {
	// API is where the declared objects are read; nil when there is none, and then APIUnseen says why.
	API       client.Reader
	APIUnseen string
	// Platform is the namespace of Dogker's own objects.
	Platform string
	// Guard returns what the allow list of what Dogker sends refuses in a spec.
	Guard func(swarm.ServiceSpec, Facts) []string
	// Plain is true when DOCKER_HOST is reached over the network without TLS.
	Plain bool
	// Now is the time of the audit.
	Now time.Time
}

// callTimeout bounds one call.
const callTimeout = 20 * time.Second

// Collect asks for everything. It fails when the engine does not answer.
func Collect(ctx context.Context, d Docker, o Options) (audit.Input, error) {
	g := &gatherer{docker: d, options: o, in: audit.Input{Now: o.Now}}

	for _, step := range []func(context.Context) error{
		g.engine, g.host, g.swarm, g.networks, g.containers, g.services, g.declared, g.deliveries,
	} {
		if err := step(ctx); err != nil {
			return audit.Input{}, err
		}
	}
	g.workloads()

	return g.in, nil
}

// gatherer is one collection under way.
type gatherer struct {
	docker  Docker
	options Options
	in      audit.Input

	place place
	// manager is true when the engine can be asked about the swarm.
	manager bool
	nodes   map[string]string // Host names by id.
	// names of networks by id.
	names map[string]string
	// ours are the networks of namespaces: ids by namespace.
	ours     map[string]string
	live     []running
	all      []swarm.Service
	tasks    []swarm.Task
	contents struct{ secrets, configs map[string]map[string]string } // Ids by name, by namespace.
}

// ask makes one call in bounded time.
func ask[T any](ctx context.Context, what string, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	got, err := call(ctx)
	if err != nil {
		return got, fmt.Errorf("ask the engine for %s: %w", what, err)
	}

	return got, nil
}

func (g *gatherer) engine(ctx context.Context) error {
	ping, err := ask(ctx, "its version", g.docker.Ping)
	if err != nil {
		return err
	}
	info, err := ask(ctx, "its configuration", g.docker.Info)
	if err != nil {
		return err
	}

	g.in.Engine = audit.Engine{Info: info, APIVersion: ping.APIVersion, Plain: g.options.Plain}
	g.manager = info.Swarm.ControlAvailable

	bridge, err := ask(ctx, "its default bridge", func(ctx context.Context) (network.Inspect, error) {
		return g.docker.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	})
	if err == nil { // An engine may have none.
		talks := bridge.Options["com.docker.network.bridge.enable_icc"] != "false"
		g.in.Engine.BridgeTalks = &talks
	}

	return nil
}

// swarm asks a manager. What a worker says of the swarm is that others have to be asked.
func (g *gatherer) swarm(ctx context.Context) error {
	g.nodes = map[string]string{}

	switch state := g.in.Engine.Info.Swarm; {
	case state.LocalNodeState == swarm.LocalNodeStateLocked:
		return errors.New("the swarm is locked: docker swarm unlock")
	case !g.manager && state.NodeID != "":
		g.in.SwarmUnseen = "the engine is a worker, and only managers know the swarm: audit a manager, too"

		return nil
	case !g.manager:
		g.in.SwarmUnseen = "the engine is in no swarm"

		return nil
	}

	cluster, err := ask(ctx, "the swarm", g.docker.SwarmInspect)
	if err != nil {
		return err
	}
	nodes, err := ask(ctx, "the nodes", func(ctx context.Context) ([]swarm.Node, error) {
		return g.docker.NodeList(ctx, swarm.NodeListOptions{})
	})
	if err != nil {
		return err
	}

	g.in.Swarm = &audit.Swarm{Cluster: cluster.ClusterInfo, Nodes: nodes}
	for _, n := range nodes {
		g.nodes[n.ID] = n.Description.Hostname
	}

	return nil
}

func (g *gatherer) networks(ctx context.Context) error {
	g.names, g.ours = map[string]string{}, map[string]string{}
	list, err := ask(ctx, "its networks", func(ctx context.Context) ([]network.Summary, error) {
		return g.docker.NetworkList(ctx, network.ListOptions{})
	})
	if err != nil {
		return err
	}

	for _, n := range list {
		g.names[n.ID] = n.Name
		owner, ours := swarmobj.OwnerOf(n.Labels)
		if ours && n.Name == swarmobj.NetworkName(owner.Tenant) {
			g.ours[owner.Tenant] = n.ID
		}
		if n.Driver != "overlay" {
			continue
		}

		o := audit.Object{Kind: audit.KindNetwork, Name: n.Name, Owner: audit.OwnerForeign}
		switch {
		case ours:
			o.Owner, o.Namespace = audit.OwnerDogker, owner.Tenant
		case n.Ingress:
			o.Owner = "" // The engine's own.
		}
		_, encrypted := n.Options["encrypted"]
		g.in.Networks = append(g.in.Networks, audit.Network{Object: o, Encrypted: encrypted})
	}

	return nil
}

// local is true for a host that is a socket of this machine.
func local(host string) (path string, ok bool) { return strings.CutPrefix(host, "unix://") }
