package notice

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// batch is how many notices are read at a time.
	batch = 1000
	// poll is how often the ledger is looked at when nobody has said that there is something in it.
	poll = time.Minute
	// breath is the least time between two looks.
	breath = 100 * time.Millisecond
	// firstPause and maxPause are how long it waits after a failure. The time doubles with each.
	firstPause = time.Second
	maxPause   = time.Minute
)

// Ledger is where notices about money come from.
type Ledger interface {
	// Outbox reads notices that have not been passed on and were written after a revision, oldest first and at most so many.
	Outbox(ctx context.Context, after int64, limit int) ([]ledger.Pending, error)
	// Delivered takes one out, if it is still the one that was read. It is idempotent.
	Delivered(ctx context.Context, p ledger.Pending) error
}

// Options of a Bridge. Ledger, Outbox and Receivers are required.
type Options struct {
	Ledger Ledger
	Outbox alert.Outbox
	// Receivers are those that are told what becomes of a tenant's money; none when nobody is.
	Receivers func(ctx context.Context, tenant string) ([]alert.ReceiverRef, error)
	// Record puts an Event where the tenant sees it. It must not block. Nobody does when nil.
	Record func(ctx context.Context, p ledger.Pending)
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
}

// Bridge passes notices of the ledger on to those who are told. It is a Runnable of a manager, for the leader only.
type Bridge struct {
	o    Options
	wake chan struct{}

	// recorded are notices that have their Event and are still in the ledger.
	recorded map[string]bool
	failures int
}

// NewBridge makes a Bridge. It does nothing before Start.
func NewBridge(o Options) *Bridge {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Record == nil {
		o.Record = func(context.Context, ledger.Pending) {}
	}

	return &Bridge{o: o, wake: make(chan struct{}, 1), recorded: map[string]bool{}}
}

// NeedLeaderElection makes the manager run it on the leader only.
func (*Bridge) NeedLeaderElection() bool { return true }

// Wake says that there may be something in the ledger. It does not block.
func (b *Bridge) Wake(string) {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Start passes on until the context ends.
func (b *Bridge) Start(ctx context.Context) error {
	for {
		timer, wake := time.NewTimer(b.round(ctx)), b.wake
		if b.failures > 0 {
			wake = nil // What fails is not tried more often because there is more of it.
		}
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-wake:
			timer.Stop()
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(breath):
		}
	}
}

// round looks at the ledger once, and returns when to look again.
func (b *Bridge) round(ctx context.Context) time.Duration {
	err := b.pass(ctx)
	if err == nil {
		b.failures = 0
		return poll
	}
	if ctx.Err() == nil && b.failures == 0 {
		b.o.Log.WarnContext(ctx, "Passing notices on failed; it is tried again", logkey.Err, err)
	}
	wait := min(firstPause<<min(b.failures, 8), maxPause)
	b.failures++

	return wait
}

// pass passes on what there is, oldest first. One that fails keeps none of the others.
func (b *Bridge) pass(ctx context.Context) error {
	var first error
	after := int64(0)
	for {
		pending, err := b.o.Ledger.Outbox(ctx, after, batch)
		if err != nil {
			return err
		}
		if after == 0 {
			b.forget(pending)
		}
		for _, p := range pending {
			if err := b.tell(ctx, p); err != nil && first == nil {
				first = err
			}
		}
		if len(pending) < batch || ctx.Err() != nil {
			return first
		}
		// Those of the last transaction may go on beyond the batch, so it is read again. No transaction has a batch of them.
		after = pending[len(pending)-1].Revision - 1
	}
}

// forget drops what is known of notices that have left the ledger.
func (b *Bridge) forget(pending []ledger.Pending) {
	if len(pending) == batch {
		return // There are more than were read.
	}
	there := map[string]bool{}
	for _, p := range pending {
		there[keyOf(p)] = true
	}
	maps.DeleteFunc(b.recorded, func(key string, _ bool) bool { return !there[key] })
}

// keyOf tells notices apart, also two under one ID of which the later has replaced the earlier.
func keyOf(p ledger.Pending) string { return fmt.Sprintf("%s/%s@%d", p.Tenant, p.ID, p.Revision) }

// tell passes one on to everybody it is for, and takes it out of the ledger.
func (b *Bridge) tell(ctx context.Context, p ledger.Pending) error {
	if key := keyOf(p); !b.recorded[key] {
		b.o.Record(ctx, p)
		b.recorded[key] = true
	}
	receivers, err := b.o.Receivers(ctx, p.Tenant)
	if err != nil {
		return fmt.Errorf("find receivers of %q: %w", p.Tenant, err)
	}
	for _, r := range receivers {
		if err := b.o.Outbox.Put(ctx, Notification(p.Notice, r)); err != nil {
			return err
		}
	}

	return b.o.Ledger.Delivered(ctx, p)
}
