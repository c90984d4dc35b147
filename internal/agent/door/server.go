package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxHeader     = 16 << 10
	headerTimeout = 10 * time.Second // It covers the handshake of TLS, too.
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 2 * time.Second
	// strangersEach and strangersAll bound connections that have not shown a certificate yet, by address and together, so
	// that a container that floods its node's agent does not keep the servers out.
	strangersEach = 16
	strangersAll  = 256
)

// Serve serves on a listener until the context ends.
func (d *Door) Serve(ctx context.Context, l net.Listener) error {
	waiting := strangers{of: map[net.Conn]string{}, from: map[string]int{}}
	s := &http.Server{
		Handler:           d,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ConnState:         waiting.note,
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

	err := s.Serve(tls.NewListener(l, d.o.Node.ServerConfig()))
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		return nil
	}

	return fmt.Errorf("serve on %s: %w", l.Addr(), err)
}

// strangers counts connections from which no request has come yet: who sends one has shown a certificate.
type strangers struct {
	mu   sync.Mutex
	of   map[net.Conn]string
	from map[string]int
}

func (s *strangers) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if state != http.StateNew {
		if host, waiting := s.of[c]; waiting {
			delete(s.of, c)
			if s.from[host]--; s.from[host] == 0 {
				delete(s.from, host)
			}
		}

		return
	}

	host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	if len(s.of) >= strangersAll || s.from[host] >= strangersEach {
		_ = underlying(c).Close()
		return
	}
	s.of[c] = host
	s.from[host]++
}

// underlying is the connection below TLS, which can be closed without a word.
func underlying(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}

	return c
}
