package swarm

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Bounds on calls. The engine itself gives a swarm call up after 20 seconds, so a write waits longer than that: an answer
// that says no is worth more than none.
const (
	writeTimeout = 25 * time.Second
	listTimeout  = 20 * time.Second
	readTimeout  = 10 * time.Second

	// writesInFlight is how many writes are sent at once. More of them only queue in the engine.
	writesInFlight = 8
)

// read makes one reading call of the engine.
func read[T any](ctx context.Context, e *Engine, op string, timeout time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	start := time.Now()
	got, err := call(ctx)
	err = translateRead(err)
	e.observe(op, start, err)

	return got, err
}

// write makes one writing call of the engine. It waits for its turn first, and for the leave to write at all: a write that
// did not get them has not been sent, and fails with the context's error.
func write[T any](ctx context.Context, e *Engine, op string, call func(context.Context) (T, error)) (T, error) {
	var none T

	select {
	case e.turns <- struct{}{}:
		defer func() { <-e.turns }()
	case <-ctx.Done():
		return none, ctx.Err()
	}

	if e.hold != nil {
		if err := e.hold(ctx); err != nil {
			return none, err
		}
	}

	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()

	ctx, sent := traced(ctx)

	start := time.Now()
	got, err := call(ctx)
	err = translateWrite(err, sent(err))
	e.observe(op, start, err)

	return got, err
}

func (e *Engine) observe(op string, start time.Time, err error) {
	e.metrics.requests.WithLabelValues(op, codeOf(err)).Inc()
	e.metrics.duration.WithLabelValues(op).Observe(time.Since(start).Seconds())

	if blinding(err) {
		e.doubtEngine()
	}
}

// traced watches whether a request gets as far as a connection. Only a request that got none is known not to have
// reached the engine. An API that is no HTTP client tells by its error alone.
func traced(ctx context.Context) (context.Context, func(error) bool) {
	var connected atomic.Bool

	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	})

	return ctx, func(err error) bool { return connected.Load() || !refusedConnection(err) }
}
