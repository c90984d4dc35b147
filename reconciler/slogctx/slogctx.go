// Package slogctx carries the logger of a pass in its context. Dogker's code takes it out as a slog.Logger, Kubernetes'
// libraries as a logr.Logger: it is one and the same, so that what both log about one pass can be found together.
package slogctx

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
)

// discard is what code logs to when nobody gave it a logger: libraries never write to a place of their own choice.
var discard = slog.New(slog.DiscardHandler)

// Into returns a context that carries the logger.
func Into(ctx context.Context, log *slog.Logger) context.Context {
	return logr.NewContextWithSlogLogger(ctx, log)
}

// From returns the logger of the context. It is never nil.
func From(ctx context.Context) *slog.Logger {
	if log := logr.FromContextAsSlogLogger(ctx); log != nil {
		return log
	}

	return discard
}
