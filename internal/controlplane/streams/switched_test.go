package streams

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// handing is an answer whose connection can be taken over.
type handing struct {
	http.ResponseWriter
	conn net.Conn
}

func (h handing) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// TestSwitchedTooLate is that a server that stops while a connection is being handed over does not keep it.
func TestSwitchedTooLate(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	s := &switched{ResponseWriter: handing{httptest.NewRecorder(), here}, gone: func() {}}
	s.close()
	if _, _, err := s.Hijack(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
	if _, err := here.Write([]byte("x")); err == nil {
		t.Error("the connection is still open")
	}
}
