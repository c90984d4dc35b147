package resourcemetrics

import (
	"time"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// Source shows pods and nodes as they are shown elsewhere in the API; package views does. It answers at once, out of what is
// known. Errors are of swarmobj's classes, or Kubernetes' own.
type Source interface {
	// MeasuredPods are those of a namespace, or of all when it is empty.
	MeasuredPods(namespace string) ([]Pod, error)
	// MeasuredNodes are all nodes.
	MeasuredNodes() ([]Node, error)
}

// Pod is what is asked of one: whose task it is, by which names.
type Pod struct {
	Namespace, Name string
	Labels          map[string]string
	// Container is the name of its only one, and Task the engine's ID.
	Container, Task string
}

// Node is what is asked of one. ID is the engine's.
type Node struct {
	Name, ID string
	Labels   map[string]string
}

// Samples are what was sampled lately; telemetry.Store is one.
type Samples interface {
	Window(task string, since time.Time) []telemetry.Sample
	Machine(node string) (m telemetry.Machine, cores float64, ok bool)
	// MachineAt is when a node was sampled last.
	MachineAt(node string) time.Time
}
