//go:build e2e

package e2e

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// meter stands between the server and its engine and notes every write. It is how a test knows what Dogker has asked
// for: a service's version also moves when Swarm itself writes to it.
type meter struct {
	server *http.Server

	mu     sync.Mutex
	writes []write
}

// write is one request that may change something.
type write struct {
	at time.Time
	// what was asked, as method and path without version of the API, such as "POST /services/create".
	what string
	code int
}

// newMeter listens on a socket and passes on to the engine.
func newMeter(socket, engine string) (*meter, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}

	m := &meter{}
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "engine"}) },
		Transport:      &http.Transport{DialContext: dialSocket(strings.TrimPrefix(engine, "unix://"))},
		FlushInterval:  -1, // Events are a stream.
		ModifyResponse: m.note,
		ErrorLog:       log.New(io.Discard, "", 0),
		// An engine that has gone answers nothing, least of all 502.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	m.server = &http.Server{Handler: proxy, ErrorLog: log.New(io.Discard, "", 0)} //nolint:gosec // only the test's own server connects
	go func() { _ = m.server.Serve(listener) }()

	return m, nil
}

func dialSocket(path string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
}

// apiVersion is what the client puts before every path.
var apiVersion = regexp.MustCompile(`^/v\d+\.\d+`)

func (m *meter) note(resp *http.Response) error {
	req := resp.Request
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return nil
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes = append(m.writes, write{time.Now(), req.Method + " " + apiVersion.ReplaceAllString(req.URL.Path, ""), resp.StatusCode})

	return nil
}

// since are the writes after a moment, as "POST /services/ID/update 200".
func (m *meter) since(start time.Time) []string {
	m.mu.Lock()
	defer m.mu.Unlock()

	var all []string
	for _, w := range m.writes {
		if w.at.After(start) {
			all = append(all, w.what+" "+http.StatusText(w.code))
		}
	}

	return all
}

// updates is how often a service was written to.
func (m *meter) updates(serviceID string) int {
	m.mu.Lock()
	defer m.mu.Unlock()

	count := 0
	for _, w := range m.writes {
		if w.what == "POST /services/"+serviceID+"/update" && w.code == http.StatusOK {
			count++
		}
	}

	return count
}

// meterSocket is where a cell's server finds its engine.
func meterSocket(dir string) string { return filepath.Join(dir, "engine.sock") }
