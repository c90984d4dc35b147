package swarm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Phase is when a Hook is asked about a call.
type Phase string

// The phases of a call.
const (
	// Before the call has reached the engine. An error is the answer, and the call never happened.
	Before Phase = "before"
	// After the engine has done what it was asked. An error takes the place of the answer.
	After Phase = "after"
)

// Call is one call to the engine.
type Call struct {
	// Number of the call on its connection, from 1.
	Number int
	// Op is the method of the API, such as ServiceUpdate.
	Op string
	// Target is what it is about: a name or an ID; empty for lists.
	Target string
	// Write is true for a call that means to change something.
	Write bool
	// Answer points to what the engine answered, in the phase After; nil otherwise. A hook may change it: an engine
	// behind a bad proxy answers half a list.
	Answer any
}

// String is the call in words.
func (c Call) String() string { return fmt.Sprintf("#%d %s(%s)", c.Number, c.Op, c.Target) }

// Hook decides what becomes of a call. It may block until the context ends or longer, and it may panic. It is asked for
// every call, in both phases, and must be safe for concurrent use.
type Hook func(ctx context.Context, call Call, phase Phase) error

// Later is what a Hook returns, in phase Before, for a call whose caller gives up and which is done all the same, later.
type Later struct {
	// After is when it is done.
	After time.Duration
	// Answer is what the caller is told now.
	Answer error
}

// Error is what the caller is told.
func (l *Later) Error() string { return l.Answer.Error() }

// Unwrap returns what the caller is told.
func (l *Later) Unwrap() error { return l.Answer }

// Record is a call and what the caller was told.
type Record struct {
	Call
	// Err is what the caller was told; nil for an answer.
	Err error
	// Done is true when the engine did it, whatever the caller was told.
	Done bool
	// At is when the call was made.
	At time.Time
}

// recorder numbers and remembers the calls of a connection.
type recorder struct {
	mu    sync.Mutex
	calls []*Record
}

func (r *recorder) begin(op, target string, write bool) *Record {
	r.mu.Lock()
	defer r.mu.Unlock()

	rec := &Record{Call: Call{Number: len(r.calls) + 1, Op: op, Target: target, Write: write}, At: time.Now()}
	r.calls = append(r.calls, rec)

	return rec
}

func (r *recorder) end(rec *Record, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()

	rec.Err = err
}

func (r *recorder) done(rec *Record) {
	r.mu.Lock()
	defer r.mu.Unlock()

	rec.Done = true
}

func (r *recorder) list() []Record {
	r.mu.Lock()
	defer r.mu.Unlock()

	out := make([]Record, len(r.calls))
	for i, rec := range r.calls {
		out[i] = *rec
	}

	return out
}

// do makes one call: numbered, recorded, through the hook, and on the cluster.
func do[T any](ctx context.Context, c *Client, op, target string, write bool, act func() (T, error)) (answer T, err error) {
	rec := c.calls.begin(op, target, write)
	defer func() { c.calls.end(rec, err) }()

	if err := c.hook(ctx, rec.Call, Before); err != nil {
		var later *Later
		if errors.As(err, &later) {
			time.AfterFunc(later.After, func() {
				c.calls.done(rec)
				_, _ = locked(c.cluster, act)
			})
		}

		return answer, err
	}

	if c.latency > 0 {
		time.Sleep(c.latency)
	}

	if err := ctx.Err(); err != nil {
		return answer, err
	}

	answer, err = locked(c.cluster, func() (T, error) {
		if err := c.cluster.reachable(op); err != nil && !c.always {
			var none T

			return none, err
		}

		c.calls.done(rec)

		return act()
	})

	call := rec.Call
	call.Answer = &answer

	if err := c.hook(ctx, call, After); err != nil {
		var none T

		return none, err
	}

	return answer, err
}

// locked runs act on the cluster and lets the cluster react.
func locked[T any](c *Cluster, act func() (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	answer, err := act()
	c.settle()

	return answer, err
}
