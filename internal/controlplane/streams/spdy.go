package streams

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream"
	"k8s.io/streaming/pkg/httpstream/spdy"
)

// patience is how long a client may take to create its streams.
const patience = 30 * time.Second

// spdyProtocols are what clients speak over SPDY; the first version, of Kubernetes 1.0, is not served. Since version 3 terminals
// have sizes, and since version 4 the end is told as JSON.
var spdyProtocols = []string{
	remotecommand.StreamProtocolV4Name, remotecommand.StreamProtocolV3Name, remotecommand.StreamProtocolV2Name,
}

var (
	errLate    = errors.New("the client has not created its streams in time")
	errStreams = errors.New("the client has created a stream that there is not, or one twice")
)

// serveSPDY serves what kubectl up to 1.30, k9s and many libraries speak, as a kubelet does. Kubernetes' own function for it
// reads the size of a terminal for as long as a client goes on with it, and takes any number of streams, all of it into
// memory; so this is ours.
func (c command) serveSPDY(w http.ResponseWriter, r *http.Request, st *stream) {
	protocol, err := httpstream.Handshake(r, w, spdyProtocols)
	if err != nil {
		return // The library has answered.
	}
	created := newCreated(st)
	conn := spdy.NewResponseUpgrader().UpgradeResponse(framed{w}, r, created.take)
	if conn == nil {
		return // Here, too.
	}
	defer conn.Close()
	if err := created.wait(st.ctx, c.streamTypes(protocol)); err != nil {
		st.end(err)
		return
	}

	created.drain()
	in, out, errs := created.get(remotecommand.StreamTypeStdin), created.get(remotecommand.StreamTypeStdout), created.get(remotecommand.StreamTypeStderr)
	wrapped := st.idle.streams(readerIf(c.in, in), writerIf(c.out, out), writerIf(c.err, errs))
	if size := created.get(remotecommand.StreamTypeResize); size != nil && c.tty {
		wrapped.Resize = sizes(st.ctx, size)
	}

	code, err := c.run(st.ctx, wrapped)
	end := c.ended(code, st.why(err))
	told := []byte(end.Message)
	if protocol == remotecommand.StreamProtocolV4Name {
		if told, err = json.Marshal(end); err != nil {
			return
		}
	}
	if len(told) > 0 {
		_, _ = created.get(remotecommand.StreamTypeError).Write(told) // Who is not there any more does not want to know.
	}
}

// streamTypes are the streams that a client creates before anything begins.
func (c command) streamTypes(protocol string) []string {
	types := []string{remotecommand.StreamTypeError}
	for t, wanted := range map[string]bool{
		remotecommand.StreamTypeStdin: c.in, remotecommand.StreamTypeStdout: c.out, remotecommand.StreamTypeStderr: c.err,
		remotecommand.StreamTypeResize: c.tty && protocol != remotecommand.StreamProtocolV2Name,
	} {
		if wanted {
			types = append(types, t)
		}
	}

	return types
}

// created are the streams that a client has created: one of each type, and no other.
type created struct {
	stream *stream
	// ready has the types of those that the client has been told that they stand.
	ready chan string

	mu sync.Mutex
	of map[string]httpstream.Stream
}

func newCreated(st *stream) *created {
	types := []string{
		remotecommand.StreamTypeError, remotecommand.StreamTypeStdin, remotecommand.StreamTypeStdout,
		remotecommand.StreamTypeStderr, remotecommand.StreamTypeResize,
	}
	c := &created{stream: st, ready: make(chan string, len(types)), of: make(map[string]httpstream.Stream, len(types))}
	for _, t := range types {
		c.of[t] = nil
	}

	return c
}

// take is called for each stream that the client creates. It ends everything at the first that is too much.
func (c *created) take(s httpstream.Stream, told <-chan struct{}) error {
	t := s.Headers().Get(remotecommand.StreamType)

	c.mu.Lock()
	defer c.mu.Unlock()

	if before, known := c.of[t]; !known || before != nil {
		c.stream.end(errStreams)
		return errStreams
	}
	c.of[t] = s
	go func() {
		select {
		case <-told:
			c.ready <- t
		case <-c.stream.ctx.Done():
		}
	}()

	return nil
}

// drain reads what a client writes where nobody listens. It would wait in memory otherwise.
func (c *created) drain() {
	for _, t := range []string{remotecommand.StreamTypeError, remotecommand.StreamTypeStdout, remotecommand.StreamTypeStderr} {
		if s := c.get(t); s != nil {
			go func() { _, _ = io.Copy(io.Discard, s) }() // It ends with the connection.
		}
	}
}

func (c *created) get(t string) httpstream.Stream {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.of[t]
}

// wait waits until the streams of some types stand.
func (c *created) wait(ctx context.Context, types []string) error {
	late := time.NewTimer(patience)
	defer late.Stop()

	missing := make(map[string]bool, len(types))
	for _, t := range types {
		missing[t] = true
	}
	for len(missing) > 0 {
		select {
		case t := <-c.ready:
			delete(missing, t)
		case <-late.C:
			return errLate
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}

	return nil
}

// readerIf is nil where none is wanted: a nil stream is not nil as another interface.
func readerIf(wanted bool, s httpstream.Stream) io.Reader {
	if !wanted {
		return nil
	}

	return s
}

func writerIf(wanted bool, s httpstream.Stream) io.Writer {
	if !wanted {
		return nil
	}

	return s
}
