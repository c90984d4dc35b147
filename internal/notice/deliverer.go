package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// batch is how many notices are read at a time.
	batch = 1000
	// poll is how often the outbox is looked at when nobody has said that there is something in it.
	poll = time.Minute
	// breath is the least time between two looks.
	breath = time.Second
	// shift is for how long notices are posted before there is another look: Events do not wait for an endpoint that is slow.
	shift = 15 * time.Second
	// firstPause and maxPause are about how long an endpoint that takes nothing, or a notice that was refused, is left
	// alone. The time doubles with each failure.
	firstPause = 2 * time.Second
	maxPause   = 15 * time.Minute
	// stale is how old a notice is when it is not tried any more: what it says has been overtaken.
	stale = 7 * 24 * time.Hour
)

// Outbox is where notices wait.
type Outbox interface {
	// Outbox reads notices that have not been delivered and were written after a revision, oldest first and at most so many.
	Outbox(ctx context.Context, after int64, limit int) ([]ledger.Pending, error)
	// Delivered takes one out, if it is still the one that was read. It is idempotent.
	Delivered(ctx context.Context, p ledger.Pending) error
}

// Options of a Deliverer. Outbox is required.
type Options struct {
	Outbox Outbox
	// Endpoint that gets notices; when nil, Events are all there is.
	Endpoint *Endpoint
	// Record puts an Event where the tenant sees it. It must not block. Nobody does when nil.
	Record func(ctx context.Context, p ledger.Pending)
	// Contacts are whom a tenant wants to have written to; nobody when nil.
	Contacts func(ctx context.Context, tenant string) []Contact
	// Now is the time; that of the machine when nil.
	Now func() time.Time
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// Deliverer is a Runnable of a manager, for the leader only.
type Deliverer struct {
	o       Options
	metrics *metrics
	wake    chan struct{}

	// recorded is the revision up to which notices have their Events.
	recorded int64
	// trouble is what is known of notices that were refused.
	trouble map[string]trouble
	// failures of the endpoint in a row, and until when it is left alone.
	failures int
	rest     time.Time
}

// trouble is what became of a notice so far.
type trouble struct {
	refusals int
	next     time.Time
}

// New makes a Deliverer. It does nothing before Start.
func New(o Options) (*Deliverer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Record == nil {
		o.Record = func(context.Context, ledger.Pending) {}
	}
	if o.Contacts == nil {
		o.Contacts = func(context.Context, string) []Contact { return nil }
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}

	return &Deliverer{o: o, metrics: m, wake: make(chan struct{}, 1), trouble: map[string]trouble{}}, nil
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Deliverer) NeedLeaderElection() bool { return true }

// Wake says that there may be something in the outbox. It does not block.
func (d *Deliverer) Wake(string) {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Start delivers until the context ends.
func (d *Deliverer) Start(ctx context.Context) error {
	for {
		wait := d.round(ctx)
		if !sleep(ctx, breath) {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// round looks at the outbox once and delivers what is due, oldest first. It returns when to look again.
func (d *Deliverer) round(ctx context.Context) time.Duration {
	err := d.record(ctx)
	var pending []ledger.Pending
	if err == nil {
		pending, err = d.o.Outbox.Outbox(ctx, 0, batch)
	}
	if err != nil {
		if ctx.Err() == nil {
			d.o.Log.WarnContext(ctx, "Reading notices failed", logkey.Err, err)
		}
		return poll
	}
	d.forget(pending)

	var waiting []ledger.Pending
	end := d.o.Now().Add(shift)
	for _, p := range pending {
		if ctx.Err() != nil || d.o.Now().After(end) || !d.deliver(ctx, p) {
			waiting = append(waiting, p)
		}
	}
	d.metrics.waits(waiting, d.o.Now())

	return d.until(waiting)
}

// record puts Events where tenants see them, once for each notice while this process leads.
func (d *Deliverer) record(ctx context.Context) error {
	for {
		fresh, err := d.o.Outbox.Outbox(ctx, d.recorded, batch)
		if err != nil || len(fresh) == 0 {
			return err
		}
		// Those of the last transaction may go on beyond the batch. They are in the next one, from their first: no
		// transaction has as many.
		last, full := fresh[len(fresh)-1].Revision, len(fresh) == batch
		for _, p := range fresh {
			if full && p.Revision == last {
				break
			}
			d.o.Record(ctx, p)
			d.recorded = p.Revision
		}
		if !full {
			return nil
		}
	}
}

// forget drops what is known of notices that are out of the outbox.
func (d *Deliverer) forget(pending []ledger.Pending) {
	there := map[string]bool{}
	for _, p := range pending {
		there[keyOf(p)] = true
	}
	maps.DeleteFunc(d.trouble, func(key string, _ trouble) bool { return !there[key] })
}

// keyOf tells notices apart, also two under one ID of which the later has replaced the earlier.
func keyOf(p ledger.Pending) string { return fmt.Sprintf("%s/%s@%d", p.Tenant, p.ID, p.Revision) }

// deliver delivers one, if it is its time, and tells whether it is out of the outbox.
func (d *Deliverer) deliver(ctx context.Context, p ledger.Pending) bool {
	t, now := d.trouble[keyOf(p)], d.o.Now()
	if d.o.Endpoint == nil {
		return d.done(ctx, p, outcomeRecorded)
	}
	if now.Sub(time.Unix(p.Time, 0)) > stale {
		d.o.Log.ErrorContext(ctx, "A notice could not be delivered for too long and is given up", logkey.Tenant, p.Tenant, logkey.Object, p.ID)
		return d.done(ctx, p, outcomeGivenUp)
	}
	if now.Before(d.rest) || now.Before(t.next) {
		return false
	}

	err := d.o.Endpoint.post(ctx, messageOf(p.Notice, d.o.Contacts(ctx, p.Tenant)), now)
	d.metrics.took(d.o.Now().Sub(now))
	level := slog.LevelDebug // What goes on failing was said when it began.
	switch {
	case err == nil:
		d.failures, d.rest = 0, time.Time{}
		return d.done(ctx, p, outcomeDelivered)
	case ctx.Err() != nil:
		return false
	case errors.Is(err, errRefused):
		if t.refusals == 0 {
			level = slog.LevelWarn
		}
		d.trouble[keyOf(p)] = trouble{refusals: t.refusals + 1, next: d.o.Now().Add(pause(t.refusals))}
		d.metrics.deliveries.WithLabelValues(outcomeRefused).Inc()
	default:
		if d.failures == 0 {
			level = slog.LevelWarn
		}
		d.rest = d.o.Now().Add(pause(d.failures))
		d.failures++
		d.metrics.deliveries.WithLabelValues(outcomeUnreachable).Inc()
	}
	d.o.Log.Log(ctx, level, "Delivering a notice failed; it is tried again", logkey.Tenant, p.Tenant, logkey.Object, p.ID, logkey.Err, err)

	return false
}

// done takes a notice out of the outbox. What stays there because the store did not answer is delivered once more.
func (d *Deliverer) done(ctx context.Context, p ledger.Pending, outcome string) bool {
	d.metrics.deliveries.WithLabelValues(outcome).Inc()
	if err := d.o.Outbox.Delivered(ctx, p); err != nil {
		d.o.Log.WarnContext(ctx, "A delivered notice stays in the outbox and will be delivered again", logkey.Tenant, p.Tenant, logkey.Object, p.ID, logkey.Err, err)
		return false
	}

	return true
}

// until is how long it is to the next time that something is due.
func (d *Deliverer) until(waiting []ledger.Pending) time.Duration {
	wait, now := poll, d.o.Now()
	for _, p := range waiting {
		due := d.trouble[keyOf(p)].next
		if due.Before(d.rest) {
			due = d.rest
		}
		wait = min(wait, max(due.Sub(now), breath))
	}

	return wait
}

// pause is how long to wait after the nth failure, counted from 0.
func pause(n int) time.Duration {
	d := min(firstPause<<min(n, 16), maxPause)

	return d/2 + rand.N(d)
}
