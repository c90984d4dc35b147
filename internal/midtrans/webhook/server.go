package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"golang.org/x/net/netutil"
)

// Path at which notifications are received. It is what is entered in Midtrans' dashboard, after the host.
const Path = "/midtrans/notification"

// NewServer makes a server for a Handler, with limits for the internet. TLS, if any, is the caller's to add; Midtrans sends
// to the ports 80 and 443 only and wants a certificate of a public authority, so there is usually a proxy in front.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle(Path, h)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })

	s := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// What strangers do to connections is not for the log of an operator.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	// Notifications are few. A connection that stays open is worth more to who wants to use them up.
	s.SetKeepAlivesEnabled(false)

	return s
}

// Serve serves until ctx is done, and then lets what has begun come to its end. It takes no more connections at once than
// it can carry; the others wait in the kernel's queue.
func Serve(ctx context.Context, s *http.Server, l net.Listener) error {
	done := make(chan error, 1)

	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		defer cancel()

		done <- s.Shutdown(last)
	})

	err := s.Serve(netutil.LimitListener(l, maxConnections))
	if !errors.Is(err, http.ErrServerClosed) || stop() {
		return fmt.Errorf("serve notifications: %w", err)
	}

	if err := <-done; err != nil {
		return fmt.Errorf("shut down the server of notifications: %w", errors.Join(err, s.Close()))
	}

	return nil
}
