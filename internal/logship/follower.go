package logship

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// silence is after how long a log that says nothing is opened anew: a connection may be dead without anybody noticing.
	// Of what is read to its end, more is to come at once.
	silence     = 30 * time.Minute
	lastSilence = time.Minute
	// lastTries is how often the log of a task is asked for that Swarm has forgotten.
	lastTries = 3
)

var errSilent = errors.New("nothing came for too long")

// follower reads the log of a task, as long as the task is there.
type follower struct {
	shipper *Shipper
	owner   swarmobj.Owner
	source  *source
	place   fleet.Place
	lane    *lane
	// wake ends a pause; over is true when the task has ended, gone when Swarm has forgotten it.
	wake       chan struct{}
	over, gone atomic.Bool

	// read is how far lines are handed over; only run uses it.
	read Cursor

	mu sync.Mutex
	// done is how far the store has them, and unsaved what it has that the cursor in etcd does not say, by their cost.
	done    Cursor
	unsaved int64
	dirty   bool
	saved   time.Time
	// waiting is how many lines the store does not have yet, and settling is closed when there are none left.
	waiting  int
	settling chan struct{}
}

// end tells that the task has ended, or that Swarm has forgotten it as well.
func (f *follower) end(gone bool) {
	if f.over.Swap(true) && f.gone.Load() == gone {
		return
	}
	if gone {
		f.gone.Store(true)
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// run reads the log until it has been read to its end after the task had ended. It is false when the context ends before.
func (f *follower) run(ctx context.Context) bool {
	for failures := 0; ; {
		// What is read from here on is all there is, when it has ended by now.
		over, gone := f.over.Load(), f.gone.Load()
		lines, err := f.pass(ctx, over)
		if ctx.Err() != nil {
			return false
		}
		f.shipper.troubles.read(ctx, f.source.node, err)
		switch {
		case over && (err == nil || errors.Is(err, swarmobj.ErrNotFound)), gone && failures >= lastTries:
			return true
		case errors.Is(err, errSilent) && !over:
			failures = 0
			continue
		case lines > 0:
			failures = 1
		default:
			failures++
		}
		timer := time.NewTimer(pauseAfter(failures))
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-f.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pass opens the log and hands its lines over until it ends.
func (f *follower) pass(ctx context.Context, over bool) (lines int, err error) {
	patience := silence
	if over {
		patience = lastSilence
		if err := f.lane.history.Acquire(ctx, 1); err != nil {
			return 0, err
		}
		defer f.lane.history.Release(1)
	}
	reading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	raw, err := f.open(reading, over)
	if err != nil {
		return 0, err
	}
	defer raw.Close() //nolint:errcheck // It was only read.
	f.shipper.troubles.over(ctx, troubleNode, f.source.node)

	watch := time.AfterFunc(patience, func() {
		stop(errSilent)
		_ = raw.Close()
	})
	defer watch.Stop()
	again := resume{from: f.read.clone()}
	give := func(s stream, at time.Time, text string) error {
		hash := hashOf(text)
		if again.done(s, at, hash) {
			return nil
		}
		watch.Stop() // It is not the log that one waits for now.
		err := f.hand(ctx, s, at, text, hash)
		watch.Reset(patience)
		lines++

		return err
	}
	frames := newFrames(raw, time.Now)
	for err == nil {
		if err = frames.next(give); err == nil {
			watch.Reset(patience)
		}
	}
	if cause := context.Cause(reading); errors.Is(cause, errSilent) {
		return lines, cause
	}
	if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return lines, err
	}
	if !over {
		return lines, nil // What has no end yet is read again.
	}

	return lines, frames.rest(give)
}

// open asks the node of the task, and a manager of the swarm when nobody on the node can be asked.
func (f *follower) open(ctx context.Context, over bool) (io.ReadCloser, error) {
	s := f.shipper
	if err := s.opening.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.opening.Release(1)

	o := fleet.LogOptions{Stdout: true, Stderr: true, Follow: !over, Timestamps: true, Since: f.read.since(), Tail: -1}
	raw, err := s.o.Runtime.Logs(ctx, f.place, o)
	if errors.Is(err, swarmobj.ErrUnavailable) {
		raw, err = fleet.LogsThroughManager(ctx, s.o.Swarm, f.place.Task, o, func() bool { return !f.over.Load() })
	}

	return raw, err
}

// hand gives a line to the lane of the tenant, and waits while that has too many.
func (f *follower) hand(ctx context.Context, s stream, at time.Time, text string, hash uint64) error {
	e := &entry{source: f.source, stream: s, time: at, text: text, hash: hash, ordinal: f.read.of(s).advance(at, hash), from: f}
	f.mu.Lock()
	f.waiting++
	f.mu.Unlock()

	return f.lane.put(ctx, e)
}

// settled notes that the store has a line, or will never have it.
func (f *follower) settled(e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.done.of(e.stream).advance(e.time, e.hash)
	f.unsaved += e.cost()
	f.dirty = true
	if f.waiting--; f.waiting == 0 && f.settling != nil {
		close(f.settling)
		f.settling = nil
	}
}

// settle waits until no line is on its way any more.
func (f *follower) settle(ctx context.Context) bool {
	f.mu.Lock()
	if f.waiting == 0 {
		f.mu.Unlock()
		return true
	}
	settling := make(chan struct{})
	f.settling = settling
	f.mu.Unlock()

	select {
	case <-settling:
		return true
	case <-ctx.Done():
		return false
	}
}
