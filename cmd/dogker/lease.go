package main

import (
	"context"
	"sync"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lease is the lock under which the controllers run. It knows for how long it is certainly ours. The election itself
// notices a loss a moment too late: a process that was frozen, or a machine that slept, goes on where it was, and
// another server leads by then.
type lease struct {
	resourcelock.Interface

	duration time.Duration

	mu sync.Mutex
	// since is when the renewal that succeeded last was begun. Others wait for the duration from then on, or longer.
	since time.Time
	// changed is closed when since changes.
	changed chan struct{}
}

func newHeldLease(lock resourcelock.Interface, duration time.Duration) *lease {
	return &lease{Interface: lock, duration: duration, changed: make(chan struct{})}
}

// Create implements resourcelock.Interface.
func (l *lease) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := time.Now()

	return l.note(began, record, l.Interface.Create(ctx, record))
}

// Update implements resourcelock.Interface.
func (l *lease) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	began := time.Now()

	return l.note(began, record, l.Interface.Update(ctx, record))
}

func (l *lease) note(began time.Time, record resourcelock.LeaderElectionRecord, err error) error {
	if err != nil {
		return err // Whether it is ours is not known; what is known of before still holds.
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	if record.HolderIdentity != l.Identity() {
		began = time.Time{} // It has been given back.
	}
	l.since = began
	close(l.changed)
	l.changed = make(chan struct{})

	return nil
}

// hold returns once the lease is certainly ours, or with the context's error. What changes anything outside of the store
// waits for it. The store needs no such care: it refuses changes of what has changed since.
func (l *lease) hold(ctx context.Context) error {
	for {
		ours, changed := l.ours(time.Now())
		if ours {
			return nil
		}

		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// ours holds both clocks against the renewal: one of them stands still while the machine sleeps.
func (l *lease) ours(now time.Time) (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()

	age := max(now.Sub(l.since), now.Round(0).Sub(l.since.Round(0)))

	return !l.since.IsZero() && age < l.duration, l.changed
}
