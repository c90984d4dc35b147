package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/dogker/dogker/reconciler/logkey"
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

// quieter lowers what is informational to debug level, and so are errors that are none. It leaves all other warnings
// and errors as they are.
type quieter struct {
	slog.Handler
}

// usual are messages that Kubernetes' libraries log as errors on every first start, on every stop, or when somebody closes
// kubectl while it is connected.
var usual = map[string]bool{
	"Error while syncing ConfigMap":                        true,
	"Failed to shutdown server: context deadline exceeded": true,
	"Error on socket receive":                              true,
}

// isUsual also knows the errors of those who were told to stop.
func isUsual(r slog.Record) bool {
	canceled := false
	r.Attrs(func(a slog.Attr) bool {
		canceled = a.Key == logkey.Err && strings.Contains(a.Value.String(), context.Canceled.Error())
		return !canceled
	})

	return canceled || usual[r.Message]
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
	if isUsual(r) {
		r.Level = slog.LevelDebug
	}
	if !q.Handler.Enabled(ctx, r.Level) {
		return nil
	}

	return q.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (q quieter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quieter{q.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (q quieter) WithGroup(name string) slog.Handler { return quieter{q.Handler.WithGroup(name)} }
