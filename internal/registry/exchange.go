package registry

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxAnswerBytes bounds the body of any answer. Registries limit manifests to 4 MiB.
const maxAnswerBytes = 4 << 20

var (
	errTooLarge    = errors.New("answer is too large")
	errWrongScheme = errors.New("scheme is not allowed for this registry")
)

// exchange is the transport of one attempt to resolve one image with one credential. It lets only the scheme through
// that the registry is to be reached by, bounds what is read, counts, and remembers how the last request ended, so that
// the attempt is judged by what happened on the wire and not by the text of a library's error.
type exchange struct {
	base  http.RoundTripper
	plain bool
	count *prometheus.CounterVec

	mu       sync.Mutex
	last     outcome
	downward bool
}

// outcome is how a request ended: with a status, or with an error.
type outcome struct {
	op         op
	status     int
	retryAfter time.Duration
	err        error
}

// RoundTrip implements http.RoundTripper.
func (e *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	if !e.allows(req) {
		return nil, errWrongScheme
	}

	o := outcome{op: opOf(req)}

	resp, err := e.base.RoundTrip(req)
	if err != nil {
		o.err = err
		e.record(o)

		return nil, err
	}

	o.status = resp.StatusCode
	o.retryAfter = retryAfter(resp.Header.Get("Retry-After"))
	e.record(o)

	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswerBytes, failed: func(err error) {
		o.err = err
		e.mu.Lock()
		e.last = o
		e.mu.Unlock()
	}}

	return resp, nil
}

// allows is true for TLS, unless the registry is reached in plain HTTP: then the try by TLS, which the protocol's
// library makes first, is answered here. Plain HTTP is for those registries only, so nobody is led there by a redirect
// or by the address of a token server.
func (e *exchange) allows(req *http.Request) bool {
	if req.URL.Scheme == "http" {
		if !e.plain && req.Response != nil {
			e.mu.Lock()
			e.downward = true
			e.mu.Unlock()
		}

		return e.plain
	}

	return !e.plain || opOf(req) != opPing
}

func (e *exchange) record(o outcome) {
	e.count.WithLabelValues(string(o.op), codeLabel(o.status)).Inc()
	e.mu.Lock()
	e.last = o
	e.mu.Unlock()
}

// ended is how the last request ended, and whether a redirect from TLS to plain HTTP was refused.
func (e *exchange) ended() (last outcome, downward bool) {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.last, e.downward
}

func opOf(req *http.Request) op {
	switch p := req.URL.Path; {
	case strings.Contains(p, "/manifests/") && req.Method == http.MethodHead:
		return opHead
	case strings.Contains(p, "/manifests/"):
		return opGet
	case strings.HasSuffix(p, "/tags/list"):
		return opTags
	case strings.HasSuffix(p, "/v2/"):
		return opPing
	default:
		return opToken
	}
}

// boundedBody fails the reader that reads more than is sensible, and tells when reading failed.
type boundedBody struct {
	io.ReadCloser
	left   int64
	failed func(error)
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.failed(errTooLarge)
		return 0, errTooLarge
	}

	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)

	if err != nil && !errors.Is(err, io.EOF) {
		b.failed(err)
	}

	return n, err
}
