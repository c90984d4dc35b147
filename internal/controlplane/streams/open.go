package streams

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/dogker/dogker/reconciler/logkey"
)

// Why streams end that nobody ended.
var (
	errStopping = errors.New("the server stops")
	errIdle     = errors.New("nothing has moved for too long")
	errGone     = errors.New("the client has gone")
)

// stream is one that has a place.
type stream struct {
	// ctx ends with the request, when the client has gone, when nothing moves, or when the server stops. Its cause says why.
	ctx context.Context
	end context.CancelCauseFunc
	// idle is told whenever something moves.
	idle *watchdog
	// close gives everything back. It may be called again.
	close func()
}

// open takes a place in the pod's namespace for a stream of a request.
func (s *Server) open(request context.Context, k kind, pod found) (*stream, error) {
	leave, err := s.rooms.enter(pod.Namespace)
	if err != nil {
		s.metrics.refused.WithLabelValues(string(k)).Inc()
		return nil, err
	}
	s.metrics.opened.WithLabelValues(string(k)).Inc()
	s.metrics.open.WithLabelValues(string(k)).Inc()

	ctx, end := context.WithCancelCause(request)
	keep := context.AfterFunc(s.serving, func() { end(errStopping) })
	idle := watch(s.Idle, func() { end(errIdle) })
	began := time.Now()

	return &stream{ctx: ctx, end: end, idle: idle, close: sync.OnceFunc(func() {
		end(nil)
		keep()
		idle.stop()
		leave()
		s.metrics.open.WithLabelValues(string(k)).Dec()
		// Who it was stands in the audit log, which fewer people may read.
		s.Log.DebugContext(ctx, "Stream to pod has ended", logkey.Operation, string(k), logkey.Object, pod.Namespace+"/"+pod.Name,
			logkey.Node, pod.Spec.NodeName, logkey.After, time.Since(began), logkey.Reason, context.Cause(ctx))
	})}, nil
}

// why is the error that ended a stream, in place of the bare end of its context.
func (s *stream) why(err error) error {
	if err != nil && s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}

	return err
}
