package streams

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"
	utilexec "k8s.io/utils/exec"

	"github.com/dogker/dogker/internal/fleet"
)

// command is an exec or an attach: streams to a process, and how it ended.
type command struct {
	kind kind
	pod  found
	// The streams that the client wants. With a TTY, Err comes on Out.
	in, out, err, tty bool
	// run blocks until the process ends or the context does.
	run func(context.Context, fleet.Streams) (exitCode int, err error)
}

// handler serves the command once, by the protocol that the client asks for.
func (s *Server) command(c command, responder rest.Responder) (http.Handler, error) {
	c.err = c.err && !c.tty
	if !c.in && !c.out && !c.err {
		return nil, apierrors.NewBadRequest("you must specify at least 1 of stdin, stdout, stderr")
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := upgrading(r); err != nil {
			responder.Error(err)
			return
		}
		st, err := s.open(r.Context(), c.kind, c.pod)
		if err != nil {
			responder.Error(err)
			return
		}
		defer st.close()
		answer := &switched{ResponseWriter: w, gone: func() { st.end(errGone) }}
		defer answer.close()

		r = r.WithContext(st.ctx)
		if wsstream.IsWebSocketRequest(r) {
			c.serveWebSocket(answer, r, st)
			return
		}
		c.serveSPDY(answer, r, st)
	}), nil
}

// patience is how long a client may take to create its streams.
const patience = 30 * time.Second

// serveSPDY serves what kubectl up to 1.30, k9s and many libraries speak, as a kubelet does.
func (c command) serveSPDY(w http.ResponseWriter, r *http.Request, st *stream) {
	wants := &remotecommand.Options{Stdin: c.in, Stdout: c.out, Stderr: c.err, TTY: c.tty}
	process := process{command: c, stream: st}
	// The watchdog sees to idle streams.
	const never = 0

	if c.kind == kindAttach {
		remotecommand.ServeAttach(w, r, process, c.pod.Name, string(c.pod.UID), c.pod.container(), wants, never, patience, remotecommand.SupportedStreamingProtocols)
		return
	}
	remotecommand.ServeExec(w, r, process, c.pod.Name, string(c.pod.UID), c.pod.container(), nil, wants, never, patience, remotecommand.SupportedStreamingProtocols)
}

// process is a command as the library calls it.
type process struct {
	command
	stream *stream
}

// ExecInContainer runs the command; an exit code other than 0 is an error that holds it.
func (p process) ExecInContainer(ctx context.Context, _, _, _ string, _ []string, in io.Reader, out, err io.WriteCloser, _ bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	code, failure := p.start(ctx, in, out, err, resize)
	if failure != nil {
		return failure
	}
	if code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("command terminated with exit code %d", code), Code: code}
	}

	return nil
}

// AttachContainer connects to the process that runs; how it ends is not told.
func (p process) AttachContainer(ctx context.Context, _, _, _ string, in io.Reader, out, err io.WriteCloser, _ bool, resize <-chan remotecommand.TerminalSize) error {
	_, failure := p.start(ctx, in, out, err, resize)

	return failure
}

func (p process) start(ctx context.Context, in io.Reader, out, err io.WriteCloser, resize <-chan remotecommand.TerminalSize) (int, error) {
	// A nil stream is nil as every interface that it is asked for.
	var plainOut, plainErr io.Writer
	if out != nil {
		plainOut = out
	}
	if err != nil {
		plainErr = err
	}
	streams := p.stream.idle.streams(in, plainOut, plainErr)
	streams.Resize = translated(ctx, resize)
	code, failure := p.run(ctx, streams)

	return code, p.stream.why(failure)
}

// translated passes sizes on until the context ends. It is nil for nil.
func translated(ctx context.Context, in <-chan remotecommand.TerminalSize) <-chan fleet.Size {
	if in == nil {
		return nil
	}
	out := make(chan fleet.Size)
	go func() {
		defer close(out)
		for size := range in {
			select {
			case out <- fleet.Size{Width: size.Width, Height: size.Height}:
			case <-ctx.Done():
				return
			}
		}
	}()

	return out
}
