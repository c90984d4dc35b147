package account

import (
	"context"
	"time"

	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Desk knows what holds for tenants; billing.Desk is one.
type Desk interface {
	// Terms are those of a tenant now. With ErrNotBilled and ErrNotInEffect come the tenant, its plan and its rules.
	Terms(ctx context.Context, tenant string) (billing.Terms, error)
}

// Ledger is the part of the ledger that this controller uses. Its errors are those of package book, or mean that it cannot
// be asked at the moment.
type Ledger interface {
	// Do carries an operation out, once for its key however often it is asked for.
	Do(ctx context.Context, req book.Request) (book.Result, error)
	// Head is how a tenant stands. One without a ledger has nothing.
	Head(ctx context.Context, tenant string) (book.Head, error)
}

// Running tells what runs of a tenant.
type Running interface {
	// TenantTasks are the tasks of a tenant that have not ended, but for those on nodes that are down, which cannot be
	// asked. They come from the read cache. It fails while nothing is known.
	TenantTasks(tenant string) ([]swarmobj.Task, error)
}

// Metering is how metering stands.
type Metering struct {
	// Sampled is when the swarm was last looked at; zero before the first time.
	Sampled time.Time
	// ClockSkewed is true while nothing is metered because the clock is not believed.
	ClockSkewed bool
}

// Option changes a Controller.
type Option func(*Controller)

// WithMetering lets accounts say why they are not metered.
func WithMetering(state func() Metering) Option { return func(c *Controller) { c.metering = state } }

// WithMetrics counts what the controller does.
func WithMetrics(m *Metrics) Option { return func(c *Controller) { c.metrics = m } }

// WithClock tells the time.
func WithClock(now func() time.Time) Option { return func(c *Controller) { c.now = now } }
