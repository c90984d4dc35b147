package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Call is one request that went through a proxy.
type Call struct {
	// What was asked, such as "GET /services" or "POST /services/{id}/update".
	What string
	// Start and End of it. A stream of events has no end while it is open.
	Start, End time.Time
}

// Write tells whether the call may change something.
func (c Call) Write() bool {
	return !strings.HasPrefix(c.What, "GET ") && !strings.HasPrefix(c.What, "HEAD ")
}

// Proxy stands between a server and its engine. It notes every call, and can swallow the engine's events while the
// stream stays open, which is what a client of a silent engine sees.
type Proxy struct {
	// Host is the DOCKER_HOST by which the engine is reached through the proxy.
	Host string

	server *http.Server
	silent atomic.Bool
	// swallowed is how many events were kept back: who stops being silent before the valve has seen one lets it pass.
	swallowed atomic.Int64

	mu    sync.Mutex
	calls []Call
}

// StartProxy listens on a socket and passes calls on to the engine at host, which must be a unix socket too.
func StartProxy(socket, host string) (*Proxy, error) {
	target, ok := strings.CutPrefix(host, "unix://")
	if !ok {
		return nil, fmt.Errorf("start proxy: %q is no unix socket", host)
	}

	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("start proxy: %w", err)
	}

	p := &Proxy{Host: "unix://" + socket}
	transport := &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", target)
		},
	}
	upstream := &url.URL{Scheme: "http", Host: "docker"}
	p.server = &http.Server{Handler: p.handler(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(upstream); r.Out.Host = "docker" },
		Transport:      transport,
		FlushInterval:  -1,
		ModifyResponse: p.tapEvents,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
			}
		},
	})}
	go func() {
		if err := p.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "proxy:", err)
		}
	}()

	return p, nil
}

// Close ends the proxy and all that goes through it.
func (p *Proxy) Close() error { return p.server.Close() }

// SetSilent decides whether events are swallowed.
func (p *Proxy) SetSilent(silent bool) { p.silent.Store(silent) }

// Take returns the calls that have begun since it was called last, and forgets them.
func (p *Proxy) Take() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()

	out := p.calls
	p.calls = nil

	return out
}

func (p *Proxy) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := Call{What: r.Method + " " + shape(r.URL.Path), Start: time.Now()}

		if strings.HasSuffix(r.URL.Path, "/events") {
			p.note(call)
			next.ServeHTTP(w, r)
			return
		}

		next.ServeHTTP(w, r)
		call.End = time.Now()
		p.note(call)
	})
}

func (p *Proxy) note(c Call) {
	p.mu.Lock()
	defer p.mu.Unlock()

	p.calls = append(p.calls, c)
}

var (
	apiVersion = regexp.MustCompile(`^/v1\.[0-9]+`)
	// objectID is the part of a path that names one object: what follows a collection.
	objectID = regexp.MustCompile(`^/(services|networks|secrets|configs|nodes|containers|images)/([^/]+(?:/[^/]+)*?)(/(?:update|json|logs))?$`)
	verbs    = map[string]bool{"create": true, "json": true}
)

// shape is a path without the engine's version and without names, so that calls of one kind look the same.
func shape(path string) string {
	path = apiVersion.ReplaceAllString(path, "")

	if m := objectID.FindStringSubmatch(path); m != nil && !verbs[m[2]] {
		return "/" + m[1] + "/{id}" + m[3]
	}

	return path
}

// tapEvents puts a valve into the stream of events.
func (p *Proxy) tapEvents(resp *http.Response) error {
	if !strings.HasSuffix(resp.Request.URL.Path, "/events") {
		return nil
	}

	r, w := io.Pipe()
	go func(body io.ReadCloser) {
		defer body.Close()

		// An event is a line of JSON. Whole lines are swallowed, so that the reader can go on afterwards.
		lines := bufio.NewReader(body)
		for {
			line, err := lines.ReadBytes('\n')
			switch {
			case len(line) == 0:
			case p.silent.Load():
				p.swallowed.Add(1)
			default:
				if _, err := w.Write(line); err != nil {
					return
				}
			}
			if err != nil {
				_ = w.CloseWithError(err)
				return
			}
		}
	}(resp.Body)
	resp.Body = r

	return nil
}
