package swarm

import (
	"context"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
)

// Client is one connection to the cluster's first node, a manager. It implements internal/swarm.API.
type Client struct {
	cluster *Cluster
	hook    Hook
	latency time.Duration
	always  bool // works while the engine is down
	calls   recorder
}

// ClientOptions of a Client.
type ClientOptions struct {
	// Hook that decides what becomes of calls; none when nil.
	Hook Hook
	// Latency that each call costs.
	Latency time.Duration
}

// Client returns a new connection.
func (c *Cluster) Client(opts ClientOptions) *Client {
	if opts.Hook == nil {
		opts.Hook = func(context.Context, Call, Phase) error { return nil }
	}

	return &Client{cluster: c, hook: opts.Hook, latency: opts.Latency}
}

// Admin returns a connection without a hook and without latency, which works even while the engine is down for others:
// somebody at the keyboard of a manager that is well.
func (c *Cluster) Admin() *Client {
	admin := c.Client(ClientOptions{})
	admin.always = true

	return admin
}

// Calls returns what was called on this connection, in order.
func (c *Client) Calls() []Record { return c.calls.list() }

// Writes returns the calls of this connection that meant to change something.
func (c *Client) Writes() []Record {
	var writes []Record

	for _, r := range c.calls.list() {
		if r.Write {
			writes = append(writes, r)
		}
	}

	return writes
}

// Ping answers as long as the engine runs, in whatever state the swarm is.
func (c *Client) Ping(ctx context.Context) (types.Ping, error) {
	return do(ctx, c, "Ping", "", false, func() (types.Ping, error) {
		return types.Ping{APIVersion: apiVersion, OSType: "linux"}, nil
	})
}

const (
	apiVersion    = "1.41"
	engineVersion = "20.10.24"
)

// ServerVersion tells the versions of the engine.
func (c *Client) ServerVersion(ctx context.Context) (types.Version, error) {
	return do(ctx, c, "ServerVersion", "", false, func() (types.Version, error) {
		return types.Version{Version: engineVersion, APIVersion: apiVersion, MinAPIVersion: "1.12", Os: "linux", Arch: "amd64"}, nil
	})
}

// Info tells what part the engine has in the swarm.
func (c *Client) Info(ctx context.Context) (system.Info, error) {
	return do(ctx, c, "Info", "", false, func() (system.Info, error) {
		self := sorted(c.cluster.nodes)[0]
		info := system.Info{
			Name: self.Description.Hostname, OSType: "linux", Architecture: "x86_64", ServerVersion: engineVersion,
			NCPU: int(self.Description.Resources.NanoCPUs / 1e9), MemTotal: self.Description.Resources.MemoryBytes,
			LoggingDriver: "json-file", CgroupVersion: "2", SystemTime: time.Now().Format(time.RFC3339Nano),
		}
		info.Swarm = swarm.Info{
			NodeID: self.ID, NodeAddr: self.Status.Addr, LocalNodeState: swarm.LocalNodeStateActive,
			ControlAvailable: true, Nodes: len(c.cluster.nodes), Managers: 1,
		}

		if e, ok := c.cluster.down.(*apiError); ok {
			info.Swarm.ControlAvailable = false
			info.Swarm.Error = e.text
		}

		return info, nil
	})
}

// SwarmInit is refused: the model is born a swarm.
func (c *Client) SwarmInit(ctx context.Context, _ swarm.InitRequest) (string, error) {
	return do(ctx, c, "SwarmInit", "", true, func() (string, error) {
		return "", refuse(503, `This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.`)
	})
}

// SwarmInspect tells about the swarm as a whole.
func (c *Client) SwarmInspect(ctx context.Context) (swarm.Swarm, error) {
	return do(ctx, c, "SwarmInspect", "", false, func() (swarm.Swarm, error) {
		limit := int64(c.cluster.history)

		return swarm.Swarm{ClusterInfo: swarm.ClusterInfo{
			ID: "cluster", SubnetSize: 24, DataPathPort: 4789,
			Spec: swarm.Spec{
				Annotations:   swarm.Annotations{Name: "default", Labels: map[string]string{}},
				Orchestration: swarm.OrchestrationConfig{TaskHistoryRetentionLimit: &limit},
			},
		}}, nil
	})
}
