package autoscaler

import (
	"context"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Swarm tells which tasks there are.
type Swarm interface {
	// Look shows what is known of an owner, from the read cache. It fails while nothing is known.
	Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error)
}

// Telemetry tells what tasks use; telemetry.Reader is one.
type Telemetry interface {
	// Window is the samples of a task since a time, oldest first.
	Window(task string, since time.Time) []telemetry.Sample
	// Latest is the last sample of a task; false when there is none of late.
	Latest(task string) (telemetry.Sample, bool)
}

// Prometheus answers queries of tenants.
type Prometheus interface {
	// Number is the answer to a query of a namespace, confined to it. The text of its error may be shown to the tenant.
	Number(ctx context.Context, namespace, query string) (float64, error)
}

// Counters reads counters of containers' own metrics.
type Counters interface {
	// Counter is the sum of all series of a counter that have the labels. The text of its error may be shown to the tenant.
	Counter(ctx context.Context, at Place, c Counter) (float64, error)
}

// Place is where a container runs. All three are the engine's IDs.
type Place struct{ Node, Task, Container string }

// Counter is what to read of a container's metrics.
type Counter struct {
	Port   uint16
	Path   string
	Name   string
	Labels map[string]string
}
