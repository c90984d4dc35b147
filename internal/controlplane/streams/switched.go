package streams

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/streaming/pkg/httpstream"
)

// upgrading refuses requests that do not ask to switch protocols, and those that cannot.
func upgrading(r *http.Request) error {
	if !httpstream.IsUpgradeRequest(r) {
		return apierrors.NewBadRequest("Upgrade request required")
	}
	if r.ProtoMajor != 1 {
		return apierrors.NewBadRequest("HTTP/" + r.Proto + " knows no upgrade of a connection; HTTP/1.1 does")
	}

	return nil
}

// switched is the answer to a request that switches protocols. From then on nobody watches the connection: it tells when
// the client has gone, which is what a process that says nothing would never notice.
type switched struct {
	http.ResponseWriter
	gone func()

	mu   sync.Mutex
	conn net.Conn
	over bool
}

// Unwrap is absent on purpose: libraries that look for the writer below would take the connection past this one.
var _ http.Hijacker = (*switched)(nil)

// Hijack hands the connection over, with what has been read of it already.
func (s *switched) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}

	var ahead io.Reader = conn
	if n := buffered.Reader.Buffered(); n > 0 {
		ahead = io.MultiReader(io.LimitReader(buffered.Reader, int64(n)), conn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		conn.Close()
		return nil, nil, net.ErrClosed
	}
	s.conn = &line{Conn: conn, ahead: ahead, gone: s.gone}

	return s.conn, bufio.NewReadWriter(bufio.NewReader(s.conn), bufio.NewWriter(s.conn)), nil
}

// close ends the connection, also one that is only about to be handed over.
func (s *switched) close() {
	s.mu.Lock()
	defer s.mu.Unlock()

	s.over = true
	if s.conn != nil {
		s.conn.Close()
	}
}

// line is a connection that tells when nothing more comes from the other side, or when a library has closed it: SPDY does
// when the client says that it goes.
type line struct {
	net.Conn
	ahead io.Reader
	gone  func()
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.ahead.Read(p)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		l.gone()
	}
	if errors.Is(err, net.ErrClosed) {
		err = io.EOF // We have closed it ourselves, which the libraries would log as an error.
	}

	return n, err
}

func (l *line) Close() error {
	l.gone()

	return l.Conn.Close()
}
