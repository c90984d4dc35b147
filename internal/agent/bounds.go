package agent

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxAnswer bounds an answer of an engine that is read as a whole, and one event. Who has a node may answer for its agent, and
// is to take no more of the server than a moment.
const maxAnswer = 16 << 20

var errTooLong = errors.New("the answer is longer than 16 MiB")

// bounded bounds what Docker's client reads into memory. Logs and what is in volumes are streams, and read by others.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil || resp.StatusCode == http.StatusOK && streams(r) {
		return resp, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer, lines: strings.HasSuffix(r.URL.Path, "/events")}

	return resp, nil
}

func streams(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, "/logs") || r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/archive")
}

// boundedBody fails once more has come than may: in all, or in one line.
type boundedBody struct {
	io.ReadCloser
	left  int
	lines bool
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	if end := bytes.LastIndexByte(p[:n], '\n'); b.lines && end >= 0 {
		b.left = maxAnswer - (n - end - 1)
	}
	if b.left < 0 {
		return 0, errTooLong
	}

	return n, err
}
