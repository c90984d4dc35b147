package voldata

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// errIdle is why a stream was ended that did not move.
var errIdle = errors.New("nothing has moved for too long")

// flow bounds a stream: how long it may take, and how long nothing may move.
type flow struct {
	ctx    context.Context //nolint:containedctx // It is that of one request.
	cancel context.CancelCauseFunc
	stop   context.CancelFunc
	idle   time.Duration

	mu    sync.Mutex
	timer *time.Timer
}

func newFlow(ctx context.Context, o Options) *flow {
	f := &flow{idle: o.Idle}
	ctx, f.stop = context.WithTimeout(ctx, o.Longest)
	f.ctx, f.cancel = context.WithCancelCause(ctx)

	return f
}

// watch begins to wait for the engine, or begins anew.
func (f *flow) watch() {
	f.mu.Lock()
	defer f.mu.Unlock()

	if f.timer == nil {
		f.timer = time.AfterFunc(f.idle, func() { f.cancel(errIdle) })
		return
	}
	f.timer.Reset(f.idle)
}

// rest ends the wait: it is somebody else's turn.
func (f *flow) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()

	if f.timer != nil {
		f.timer.Stop()
	}
}

// end ends the request, if it has not ended.
func (f *flow) end() {
	f.rest()
	f.cancel(nil)
	f.stop()
}

// cause is why a call failed: an engine that was given up is one that does not answer.
func (f *flow) cause(err error) error {
	if errors.Is(context.Cause(f.ctx), errIdle) {
		return fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, errIdle)
	}

	return err
}
