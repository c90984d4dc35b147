package etcd

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// zapLogger makes etcd, which logs with zap, speak through slog. What etcd calls informational is detail to whoever runs
// Dogker, and is logged at debug level.
func zapLogger(log *slog.Logger) *zap.Logger {
	return zap.New(slogCore{log: log})
}

// slogCore is a zap core that writes to slog.
type slogCore struct {
	log    *slog.Logger
	fields []zapcore.Field
}

// usual are messages that etcd logs as warnings and errors and that are neither for a member that is alone: some are said
// on every first start, some on every stop. A failure to serve is reported by Store.Failed as well.
var usual = map[string]bool{
	"simple token is not cryptographically signed":  true,
	"Failed to detect schema version":               true,
	"failed to update storage version":              true,
	"setting up serving from embedded etcd failed.": true,
}

// levelTrace is below every level that an operator can ask for: etcd's own debugging shows every key that is written.
const levelTrace = slog.LevelDebug - 4

func slogLevel(l zapcore.Level) slog.Level {
	switch {
	case l == zapcore.DebugLevel:
		return levelTrace
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}

// Enabled implements zapcore.Core.
func (c slogCore) Enabled(l zapcore.Level) bool {
	return c.log.Enabled(context.Background(), slogLevel(l))
}

// With implements zapcore.Core.
func (c slogCore) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(c.fields[:len(c.fields):len(c.fields)], fields...)
	return c
}

// Check implements zapcore.Core.
func (c slogCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if usual[e.Message] {
		e.Level = zapcore.InfoLevel
	}
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}

	return checked
}

// Write implements zapcore.Core.
func (c slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range c.fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		f.AddTo(enc)
	}

	attrs := make([]slog.Attr, 0, len(enc.Fields))
	for k, v := range enc.Fields {
		attrs = append(attrs, slog.Any(k, v))
	}
	c.log.LogAttrs(context.Background(), slogLevel(e.Level), e.Message, attrs...)

	return nil
}

// Sync implements zapcore.Core.
func (c slogCore) Sync() error { return nil }
