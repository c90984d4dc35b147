package streams

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/transport/spdy"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
	"pgregory.net/rapid"
)

// spdyClient is a client that does as it likes.
type spdyClient struct {
	*testing.T
	httpstream.Connection
}

func (w *world) spdy(t *testing.T, u *url.URL, protocol string) *spdyClient {
	t.Helper()
	transport, upgrader, err := spdy.RoundTripperFor(w.config())
	if err != nil {
		t.Fatal(err)
	}
	conn, got, err := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, u).Dial(protocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if got != protocol {
		t.Fatalf("protocol: got %q, want %q", got, protocol)
	}

	return &spdyClient{t, conn}
}

func (c *spdyClient) create(kind string) httpstream.Stream {
	c.Helper()
	s, err := c.CreateStream(http.Header{remotecommand.StreamType: {kind}})
	if err != nil {
		c.Fatalf("create stream %q: %v", kind, err)
	}

	return s
}

// TestSPDYVersions: the end is told in the words of the version that the client speaks.
func TestSPDYVersions(t *testing.T) {
	w := newWorld(t, nil)
	for protocol, want := range map[string]string{
		remotecommand.StreamProtocolV4Name: `"causes":[{"reason":"ExitCode","message":"3"}]`,
		remotecommand.StreamProtocolV3Name: "command terminated with exit code 3",
		remotecommand.StreamProtocolV2Name: "command terminated with exit code 3",
	} {
		t.Run(protocol, func(t *testing.T) {
			c := w.spdy(t, w.path("web", "exec", "command", "exit", "command", "3", "stdout", "true"), protocol)
			end := c.create(remotecommand.StreamTypeError)
			c.create(remotecommand.StreamTypeStdout)
			told, _ := io.ReadAll(end)
			if !bytes.Contains(told, []byte(want)) {
				t.Errorf("got %s, want %s in it", told, want)
			}
		})
	}
}

// TestSPDYSizeWithoutEnd: the size of a terminal that does not end is not read to its end. Then there is none, and everything
// else goes on.
func TestSPDYSizeWithoutEnd(t *testing.T) {
	w := newWorld(t, nil)
	c := w.spdy(t, w.path("web", "exec", "command", "size", "stdout", "true", "tty", "true"), remotecommand.StreamProtocolV4Name)
	c.create(remotecommand.StreamTypeError)
	out, size := c.create(remotecommand.StreamTypeStdout), c.create(remotecommand.StreamTypeResize)
	go fmt.Fprint(size, `{"Width":`, strings.Repeat("1", 4*maxSize))

	said := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(out)
		said <- string(text)
	}()
	select {
	case got := <-said:
		if got != "0x0 tty=true\n" {
			t.Errorf("the command says %q, want that there are no sizes", got)
		}
	case <-time.After(soon):
		t.Error("the size is still read")
	}
}

// TestSPDYStreams: a client that creates other streams than it may is shown out, before and after the command has begun.
func TestSPDYStreams(t *testing.T) {
	for name, tc := range map[string]struct{ first, then []string }{
		"Unknown":      {nil, []string{"video"}},
		"Twice":        {nil, []string{remotecommand.StreamTypeError, remotecommand.StreamTypeError}},
		"UnknownLater": {[]string{remotecommand.StreamTypeError, remotecommand.StreamTypeStdout}, []string{""}},
		"TwiceLater":   {[]string{remotecommand.StreamTypeError, remotecommand.StreamTypeStdout}, []string{remotecommand.StreamTypeStdout}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			c := w.spdy(t, w.path("web", "exec", "command", "sleep", "stdout", "true"), remotecommand.StreamProtocolV4Name)
			for _, kind := range tc.first {
				if s := c.create(kind); kind == remotecommand.StreamTypeStdout {
					if _, err := io.ReadFull(s, make([]byte, len("asleep\n"))); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, kind := range tc.then {
				go func() { _, _ = c.CreateStream(http.Header{remotecommand.StreamType: {kind}}) }()
			}
			select {
			case <-c.CloseChan():
			case <-time.After(soon):
				t.Error("the client is still there")
			}
			await(t, "giving the place back", func() bool { return w.held("a") == 0 })
		})
	}
}

// TestSPDYFrames: what is too long to be kept ends the connection; whatever else is written goes through, however it is cut.
func TestSPDYFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var raw []byte
		good := 0
		for i := range rapid.IntRange(0, 6).Draw(t, "frames") {
			size := rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(maxFrame-1, maxFrame+1)).Draw(t, "size")
			head := make([]byte, spdyHeader)
			binary.BigEndian.PutUint32(head, uint32(i))
			binary.BigEndian.PutUint32(head[4:], uint32(size)|uint32(rapid.Byte().Draw(t, "flags"))<<24)
			raw = append(append(raw, head...), make([]byte, size)...)
			if size > maxFrame {
				break
			}
			good = len(raw)
		}
		here, there := net.Pipe()
		defer there.Close()
		f := &frameLimit{Conn: here, from: bytes.NewReader(raw)}
		var got []byte
		for {
			p := make([]byte, rapid.IntRange(1, maxFrame).Draw(t, "read"))
			n, err := f.Read(p)
			if got = append(got, p[:n]...); err != nil {
				if tooLong := good < len(raw); errors.Is(err, errFrame) != tooLong {
					t.Fatalf("got %v, and that a frame is too long is %v", err, tooLong)
				}
				break
			}
		}
		if len(got) > len(raw) || good == len(raw) && !bytes.Equal(got, raw) {
			t.Fatalf("%d bytes of %d came through", len(got), len(raw))
		}
	})
}

// TestSPDYFrameTooLong: the connection of a client that sends one is closed.
func TestSPDYFrameTooLong(t *testing.T) {
	w := newWorld(t, nil)
	c := w.spdy(t, w.path("web", "exec", "command", "cat", "stdout", "true", "stdin", "true"), remotecommand.StreamProtocolV4Name)
	c.create(remotecommand.StreamTypeError)
	in, out := c.create(remotecommand.StreamTypeStdin), c.create(remotecommand.StreamTypeStdout)
	go func() { _, _ = in.Write(bytes.Repeat([]byte("x"), maxFrame)) }()
	if _, err := io.ReadFull(out, make([]byte, maxFrame)); err != nil {
		t.Fatalf("a frame that may be: %v", err)
	}
	go func() { _, _ = in.Write(make([]byte, maxFrame+1)) }()
	select {
	case <-c.CloseChan():
	case <-time.After(soon):
		t.Error("the client is still there")
	}
	await(t, "giving the place back", func() bool { return w.held("a") == 0 })
}
