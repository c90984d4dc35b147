package alert

import (
	"context"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Ports are what the controller works through. Telemetry, Swarm and Outbox are required.
type Ports struct {
	// Telemetry is what was sampled lately.
	Telemetry telemetry.Reader
	// Swarm knows tasks.
	Swarm Swarm
	// Queries answers PromQL; nil when the platform has no Prometheus.
	Queries Queries
	// Outbox takes what is to be told.
	Outbox alert.Outbox
}

// Swarm knows tasks.
type Swarm interface {
	// Look shows what is known of an owner. It costs no call to the engine, and fails when the engine is not seen.
	Look(ctx context.Context, o swarmobj.Owner) (swarmobj.World, error)
}

// Queries answers PromQL. It has a deadline of its own, and its errors are fit for conditions of whoever has written the query.
type Queries interface {
	// Query evaluates a query now, as one that sees a namespace only; all when namespace is empty.
	Query(ctx context.Context, namespace, query string) ([]Result, error)
}

// Result is one of a query.
type Result struct {
	Labels map[string]string
	Value  float64
}
