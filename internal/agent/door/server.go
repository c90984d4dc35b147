package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	maxHeader = 16 << 10
	// headerTimeout is how long a handshake may take, and then the first request. Servers wait no longer for one either.
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 2 * time.Second
)

// Serve serves on a listener until the context ends.
func (d *Door) Serve(ctx context.Context, l net.Listener) error {
	s := &http.Server{
		Handler:           d,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         d.strangers.note,
		ErrorLog:          slog.NewLogLogger(d.o.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}

	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()

		// Streams do not end by themselves.
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if s.Shutdown(late) != nil {
			_ = s.Close()
		}
	}()

	err := s.Serve(tls.NewListener(hearing{l}, d.o.Node.ServerConfig()))
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}

	return fmt.Errorf("serve on %s: %w", l.Addr(), err)
}
