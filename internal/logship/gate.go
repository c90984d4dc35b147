package logship

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// atOnce is how many batches are on their way, each of another tenant.
	atOnce = 4
	// firstPause doubles with each failure in a row, up to maxPause.
	firstPause = time.Second
	maxPause   = time.Minute
)

// gate leaves a store alone that does not answer, for growing pauses that all tenants share.
type gate struct {
	slots *semaphore.Weighted

	mu       sync.Mutex
	failures int
	changed  time.Time
	until    time.Time
}

func newGate() *gate { return &gate{slots: semaphore.NewWeighted(atOnce)} }

// enter waits until the store may be asked. leave is to be called then.
func (g *gate) enter(ctx context.Context) (began time.Time, err error) {
	if err := g.slots.Acquire(ctx, 1); err != nil {
		return time.Time{}, err
	}
	for {
		g.mu.Lock()
		wait := time.Until(g.until)
		g.mu.Unlock()
		if wait <= 0 {
			return time.Now(), nil
		}
		if !sleep(ctx, wait) {
			g.slots.Release(1)
			return time.Time{}, ctx.Err()
		}
	}
}

// leave notes how the store has answered. after is what it asked for itself.
func (g *gate) leave(began time.Time, answered bool, after time.Duration) {
	defer g.slots.Release(1)
	g.mu.Lock()
	defer g.mu.Unlock()

	switch {
	case answered:
		g.failures, g.until = 0, time.Time{}
	case began.Before(g.changed):
		// Those that were on their way together have failed together.
	default:
		g.failures++
		g.changed = time.Now()
		g.until = g.changed.Add(max(after, pauseAfter(g.failures)))
	}
}

// pauseAfter is how long to wait after so many failures in a row, half of it by chance.
func pauseAfter(failures int) time.Duration {
	d := min(firstPause<<min(max(failures-1, 0), 10), maxPause)

	return d/2 + rand.N(d) //nolint:gosec // It spreads requests and guards nothing.
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
