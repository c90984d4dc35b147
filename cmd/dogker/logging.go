package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// logFlags say how a server logs.
type logFlags struct {
	format string
	level  string
}

func (f *logFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "log-format", "text", "format of the log: text or json")
	flags.StringVar(&f.level, "log-level", "info", "least level that is logged: debug, info, warn or error")
}

// logger makes the logger of this process, and makes Kubernetes' libraries speak through it. What they call
// informational is detail to whoever runs Dogker, and is logged at debug level.
func (f *logFlags) logger(out io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, fmt.Errorf("--log-level %q must be debug, info, warn or error", f.level)
	}

	var handler slog.Handler
	options := &slog.HandlerOptions{Level: level}
	switch f.format {
	case "text":
		handler = slog.NewTextHandler(out, options)
	case "json":
		handler = slog.NewJSONHandler(out, options)
	default:
		return nil, fmt.Errorf("--log-format %q must be text or json", f.format)
	}

	foreign := logr.FromSlogHandler(quieter{handler})
	klog.SetLoggerWithOptions(foreign, klog.ContextualLogger(true))
	log.SetLogger(foreign)
	logger := slog.New(handler)
	slog.SetDefault(logger)

	return logger, nil
}

// quieter lowers what is informational to debug level, and leaves warnings and errors as they are.
type quieter struct {
	slog.Handler
}

func lowered(l slog.Level) slog.Level {
	if l > slog.LevelInfo {
		return l
	}

	return l - (slog.LevelInfo - slog.LevelDebug)
}

// Enabled implements slog.Handler.
func (q quieter) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, lowered(l))
}

// Handle implements slog.Handler.
func (q quieter) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return q.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }
