package streams

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"
)

// dialers are the ways in which clients forward ports.
func (w *world) dialers(t *testing.T) map[string]httpstream.Dialer {
	t.Helper()
	transport, upgrader, err := spdy.RoundTripperFor(w.config())
	if err != nil {
		t.Fatal(err)
	}
	tunnel, err := portforward.NewSPDYOverWebsocketDialerForStreaming(w.path("web", "portforward"), w.config())
	if err != nil {
		t.Fatal(err)
	}

	return map[string]httpstream.Dialer{
		"SPDY":   spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, w.path("web", "portforward")),
		"Tunnel": tunnel,
	}
}

func TestForward(t *testing.T) {
	w := newWorld(t, nil)
	w.web.Listen(8080, func(c net.Conn) { // It answers line by line.
		for lines := bufio.NewScanner(c); lines.Scan(); {
			fmt.Fprintf(c, "heard %s\n", lines.Text())
		}
	})
	w.web.Listen(9090, func(c net.Conn) { fmt.Fprint(c, strings.Repeat("x", 1<<20)) })

	for protocol, dialer := range w.dialers(t) {
		t.Run(protocol, func(t *testing.T) {
			stop, ready := make(chan struct{}), make(chan struct{})
			f, err := portforward.NewOnAddressesForStreaming(dialer, []string{"127.0.0.1"}, []string{"0:8080", "0:9090", "0:1"}, stop, ready, io.Discard, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- f.ForwardPorts() }()
			select {
			case <-ready:
			case err := <-ended:
				t.Fatal(err)
			}
			ports, err := f.GetPorts()
			if err != nil {
				t.Fatal(err)
			}

			// Several connections at a time, each with its own bytes.
			var all sync.WaitGroup
			for i := range 5 {
				all.Go(func() {
					c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0].Local))
					if err != nil {
						t.Error(err)
						return
					}
					defer c.Close()
					_ = c.SetDeadline(time.Now().Add(soon))
					fmt.Fprintf(c, "hello %d\n", i)
					got, err := bufio.NewReader(c).ReadString('\n')
					if want := fmt.Sprintf("heard hello %d\n", i); err != nil || got != want {
						t.Errorf("got %q and %v, want %q", got, err, want)
					}
				})
			}
			all.Wait()

			c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[1].Local))
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(soon))
			if got, err := io.ReadAll(c); err != nil || len(got) != 1<<20 {
				t.Errorf("got %d bytes and %v, want all that the container said before it closed", len(got), err)
			}

			if c, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[2].Local)); err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(time.Now().Add(soon))
			if got, err := io.ReadAll(c); len(got) != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %q and %v of a port that nothing listens on, want the end of the connection", got, err)
			}

			close(stop)
			<-ended
			await(t, "giving the place back", func() bool { return w.held("a") == 0 })
		})
	}
}

func TestForwardEndsWithServer(t *testing.T) {
	for _, protocol := range []string{"SPDY", "Tunnel"} {
		t.Run(protocol, func(t *testing.T) {
			w := newWorld(t, nil)
			conn, _, err := w.dialers(t)[protocol].Dial(portforward.PortForwardProtocolV1Name)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			await(t, "opening the stream", func() bool { return w.held("a") == 1 })
			close(w.stop)
			select {
			case <-conn.CloseChan():
			case <-time.After(soon):
				t.Error("the connection stays although the server stops")
			}
			await(t, "giving the place back", func() bool { return w.held("a") == 0 })
		})
	}
}

func TestForwardRefusals(t *testing.T) {
	w := newWorld(t, nil)
	st, err := w.server.open(t.Context(), kindForward, w.shown.pods["a/web"])
	if err != nil {
		t.Fatal(err)
	}
	defer st.close()
	f := &forwarder{runtime: w.runtime, pod: w.shown.pods["a/web"], stream: st, connections: newRooms(1, "connections")}

	want := `failed to connect to port 1 of container "main": dial tcp: connection refused`
	if err := f.PortForward(t.Context(), "", "", 1, nil); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// Another port-forward of the namespace has taken the last one.
	if _, err := f.connections.enter("a"); err != nil {
		t.Fatal(err)
	}
	if err := f.PortForward(t.Context(), "", "", 80, nil); err == nil || !strings.Contains(err.Error(), `namespace "a" has 1 connections open`) {
		t.Errorf("got %v, want a refusal: all places are taken", err)
	}
}
