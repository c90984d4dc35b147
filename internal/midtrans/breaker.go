package midtrans

import (
	"errors"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

// How long Midtrans is left alone.
const (
	patience      = 3 // failures in a row before it is left alone
	firstPause    = 5 * time.Second
	longestPause  = 2 * time.Minute
	refusedPause  = time.Minute // after a key was not accepted
	tooManyPause  = 30 * time.Second
	tryMayTakeFor = timeout
)

// hold is why, and until when, calls are not made.
type hold struct {
	class error
	cause string
	until time.Time
}

// breaker leaves Midtrans alone while calls are pointless: it is down, it asks for patience, or it does not accept the
// key. A call that it holds back was not sent, so its outcome is known.
type breaker struct {
	mu       sync.Mutex
	failures int
	held     *hold
}

// check is the hold that is in force, or nil. When it is over, one call is let through to try; the others wait for what
// becomes of it, at most for the time that it may take.
func (b *breaker) check(now time.Time) *hold {
	b.mu.Lock()
	defer b.mu.Unlock()

	if b.held == nil {
		return nil
	}

	if now.Before(b.held.until) {
		held := *b.held
		return &held
	}

	b.held.until = now.Add(tryMayTakeFor)

	return nil
}

// failed counts a call that came to nothing for a reason that the next would meet as well.
func (b *breaker) failed(now time.Time, class error, cause string, atLeast time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.failures++

	var pause time.Duration

	switch {
	case errors.Is(class, payment.ErrMisconfigured):
		pause = refusedPause
	case errors.Is(class, payment.ErrRateLimited):
		pause = tooManyPause
	case b.failures < patience && atLeast == 0:
		b.held = nil
		return
	default:
		pause = min(firstPause<<min(max(b.failures-patience, 0), 10), longestPause)
	}

	b.held = &hold{class: class, cause: cause, until: now.Add(max(pause, atLeast))}
}

// answered forgets what was held against it.
func (b *breaker) answered() {
	b.mu.Lock()
	defer b.mu.Unlock()

	b.failures, b.held = 0, nil
}

// misconfigured is true while calls are held back because the key was not accepted.
func (b *breaker) misconfigured() bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.held != nil && errors.Is(b.held.class, payment.ErrMisconfigured)
}

// Misconfigured is true from when Midtrans has not accepted the server key until it accepts it. No new top-ups should be
// opened meanwhile.
func (g *Gateway) Misconfigured() bool { return g.breaker.misconfigured() }
