package ledger

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

const (
	// callTimeout is how long one call may take. What it did is looked up afterwards.
	callTimeout = 5 * time.Second
	// maxLost is how many calls in a row may fail before the caller is told so.
	maxLost = 4
	// maxRaces is how many times others may be faster.
	maxRaces = 100
	// lostPause and racePause are about how long it waits before it tries again, the first time.
	lostPause = 20 * time.Millisecond
	racePause = 500 * time.Microsecond
)

// KV is the part of an etcd client that the ledger uses. It has no Put and no Delete: nothing is written without a
// condition.
type KV interface {
	Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error)
	Txn(ctx context.Context) clientv3.Txn
}

// Ledger keeps the books of all tenants in etcd. Any number of them may work on the same store.
type Ledger struct {
	kv    KV
	now   func() time.Time
	cache *cache
	// lostPause is about how long it waits, the first time, before it asks again what became of a call.
	lostPause time.Duration
	// done hears of each operation when it is over; nil when nobody wants to.
	done func(done)
}

// New makes a ledger on a store. Now says what time it is.
func New(kv KV, now func() time.Time) *Ledger {
	return &Ledger{kv: kv, now: now, cache: newCache(), lostPause: lostPause}
}

// Do carries an operation out, exactly once for its key however often it is asked for, by whomever, and whatever becomes
// of the answers. It blocks until the outcome is known; if it cannot be, ErrUnknown says so, and asking again tells.
//
// The errors of package book say what else can be wrong; with all of them nothing was written.
func (l *Ledger) Do(ctx context.Context, req book.Request) (book.Result, error) {
	if err := check(req); err != nil {
		return book.Result{}, err
	}
	w := &writer{Ledger: l, req: req}
	begun := time.Now()
	result, err := w.run(ctx)
	if l.done != nil {
		// A write whose answer was lost, and which was found to be done when it was tried again, was ours, too.
		wrote := err == nil && (w.wrote || result.Replayed && w.unknown != nil)
		l.done(done{req: req, result: result, err: err, took: time.Since(begun), wrote: wrote})
	}
	if err != nil {
		return book.Result{}, fmt.Errorf("write %T to the ledger of %q: %w", req.Op, req.Tenant, err)
	}

	return result, nil
}

func check(req book.Request) error {
	if err := book.CheckTenant(req.Tenant); err != nil {
		return err
	}
	if req.Op == nil {
		return fmt.Errorf("%w: op: is required", book.ErrInvalid)
	}
	if book.Fenced(req.Op) && req.Term == 0 {
		return fmt.Errorf("%w: term: %T is for a leader alone", book.ErrInvalid, req.Op)
	}

	return nil
}

// writer carries one request out.
type writer struct {
	*Ledger
	req book.Request
	// unknown is the error of a write that may have been done.
	unknown error
	// wrote is true once something was written.
	wrote bool
}

// run tries until there is an answer. The first try may start from what is remembered of the tenant, because no write
// succeeds unless that is still so; but nothing is refused on such grounds.
func (w *writer) run(ctx context.Context) (book.Result, error) {
	lost, races := 0, 0
	remembered, ok := w.remembered()
	for {
		at := remembered
		if !ok {
			var err error
			if at, err = w.load(ctx); err != nil && permanent(err) {
				return book.Result{}, err
			} else if err != nil {
				if lost++; lost >= maxLost || !pause(ctx, lost, w.lostPause) {
					return book.Result{}, errors.Join(w.unknown, fmt.Errorf("read: %w", err))
				}
				continue
			}
			if result, done, err := w.replayed(ctx, at); done {
				return result, err
			}
		}

		result, verdict, err := w.try(ctx, at)
		switch {
		case verdict == written:
			return result, nil
		case verdict == refused && !ok:
			return book.Result{}, err
		case verdict == failed:
			w.unknown = fmt.Errorf("%w: %w", book.ErrUnknown, err)
			if lost++; lost >= maxLost || !pause(ctx, lost, w.lostPause) {
				return book.Result{}, w.unknown
			}
		case verdict == outrun && !ok:
			if races++; races >= maxRaces || !pause(ctx, min(races, 6), racePause) {
				return book.Result{}, errors.Join(w.unknown, ctx.Err(), fmt.Errorf("after %d tries: %w", races, book.ErrBusy))
			}
		}
		ok = false
	}
}

// verdict is how a try has ended.
type verdict int

const (
	// written: it is in the ledger.
	written verdict = iota
	// refused: on the ground of what was read, it cannot be done.
	refused
	// outrun: somebody else has written since that was read.
	outrun
	// failed: nobody knows.
	failed
)

// permanent tells whether reading again would say the same.
func permanent(err error) bool {
	return errors.Is(err, book.ErrNewer) || errors.Is(err, book.ErrBroken) || errors.Is(err, book.ErrConflict)
}

// pause waits for the nth time, each time about twice as long, and tells whether there is still somebody who waits.
func pause(ctx context.Context, n int, base time.Duration) bool {
	d := base << (n - 1)
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
