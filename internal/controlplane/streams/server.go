package streams

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/registry/rest"

	"github.com/dogker/dogker/internal/fleet"
)

// Defaults of the limits.
const (
	// DefaultPerNamespace is how many streams a namespace has at once.
	DefaultPerNamespace = 100
	// DefaultIdle is after how long a stream ends on which nothing moves: as a kubelet does it.
	DefaultIdle = 4 * time.Hour
)

// TaskLogs reads the log of a task through a manager of the swarm, which asks the task's node over the swarm's own network.
// It blocks until the engine begins to answer; the caller closes the log.
type TaskLogs interface {
	TaskLogs(ctx context.Context, task string, o container.LogsOptions) (io.ReadCloser, error)
}

// NodePages renders what a kubelet would answer for its node.
type NodePages interface {
	// NodePage is the page of a node under a path: metrics/cadvisor, metrics/resource or healthz. node is the engine's ID. It
	// is false where there is no such page.
	NodePage(node, path string) (http.Handler, bool)
}

// Options of a Server. All must be set but where it says otherwise.
type Options struct {
	Pods     Pods
	Runtime  fleet.Runtime
	TaskLogs TaskLogs
	// Pages of nodes; nil for none.
	Pages NodePages
	// Authorizer says who may what.
	Authorizer authorizer.Authorizer
	// PerNamespace is how many streams a namespace has at once, and Idle after how long one ends on which nothing moves.
	PerNamespace int
	Idle         time.Duration
	// Stop is closed when the server stops; all streams end then.
	Stop    <-chan struct{}
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Server answers for the subresources of pods and nodes that are streams.
type Server struct {
	Options

	rooms   *rooms
	metrics metrics
	// connections are those of all port-forwards of a namespace: each takes a stream of the agent, and all tenants share those.
	connections *rooms
	// serving ends when the server stops.
	serving context.Context
}

// New makes a Server. It serves once its Storage is installed.
func New(o Options) *Server {
	return &Server{
		Options: o,
		rooms:   newRooms(o.PerNamespace, "streams (logs, exec, attach, port-forward, proxy)"),
		metrics: newMetrics(o.Metrics),

		connections: newRooms(maxConnections, "connections through port-forwards"),
		serving:     wait.ContextForChannel(o.Stop),
	}
}

// Storage is what is to be installed in version v1 of the core group, beside pods and nodes.
func (s *Server) Storage() map[string]rest.Storage {
	return map[string]rest.Storage{
		"pods/log":         &logREST{server: s},
		"pods/exec":        &execREST{server: s},
		"pods/attach":      &attachREST{server: s},
		"pods/portforward": &forwardREST{server: s},
		"pods/proxy":       &podProxyREST{server: s},
		"nodes/proxy":      &nodeProxyREST{server: s},
	}
}
