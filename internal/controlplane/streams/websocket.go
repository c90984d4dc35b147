package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/dogker/dogker/internal/fleet"
)

// serveWebSocket serves what kubectl speaks since 1.31, and what browsers speak. With version 5 the client can close its
// input, which version 4 cannot; the channels are the same.
func (c command) serveWebSocket(w http.ResponseWriter, r *http.Request, st *stream) {
	channels := []wsstream.ChannelType{
		remotecommand.StreamStdIn:  wanted(c.in, wsstream.ReadChannel),
		remotecommand.StreamStdOut: wanted(c.out, wsstream.WriteChannel),
		remotecommand.StreamStdErr: wanted(c.err, wsstream.WriteChannel),
		remotecommand.StreamErr:    wsstream.WriteChannel,
		remotecommand.StreamResize: wsstream.ReadChannel,
	}
	conn := wsstream.NewConn(map[string]wsstream.ChannelProtocolConfig{
		remotecommand.StreamProtocolV5Name:              {Binary: true, Channels: channels},
		remotecommand.StreamProtocolV4Name:              {Binary: true, Channels: channels},
		"v4." + wsstream.Base64ChannelWebSocketProtocol: {Binary: false, Channels: channels},
	})
	_, streams, err := conn.Open(w, r)
	if err != nil {
		return // The library has answered.
	}
	defer conn.Close()

	// An empty message tells the client that the connection stands before the process says anything.
	first := remotecommand.StreamErr
	if c.out {
		first = remotecommand.StreamStdOut
	} else if c.err {
		first = remotecommand.StreamStdErr
	}
	if _, err := streams[first].Write(nil); err != nil {
		return
	}

	var in io.Reader
	if c.in {
		in = streams[remotecommand.StreamStdIn]
	}
	var out, errs io.Writer
	if c.out {
		out = streams[remotecommand.StreamStdOut]
	}
	if c.err {
		errs = streams[remotecommand.StreamStdErr]
	}
	wrapped := st.idle.streams(in, out, errs)
	wrapped.Resize = sizes(st.ctx, streams[remotecommand.StreamResize])

	code, err := c.run(st.ctx, wrapped)
	end, err := json.Marshal(c.ended(code, st.why(err)))
	if err == nil {
		_, _ = streams[remotecommand.StreamErr].Write(end)
	}
}

func wanted(really bool, t wsstream.ChannelType) wsstream.ChannelType {
	if really {
		return t
	}

	return wsstream.IgnoreChannel
}

// sizes reads the sizes of a terminal until the stream or the context ends.
func sizes(ctx context.Context, r io.Reader) <-chan fleet.Size {
	out := make(chan fleet.Size)
	go func() {
		defer close(out)
		bounded := &rationed{Reader: r}
		for d := json.NewDecoder(bounded); ; {
			var size remotecommand.TerminalSize
			bounded.left = maxSize
			if d.Decode(&size) != nil {
				return
			}
			select {
			case out <- fleet.Size{Width: size.Width, Height: size.Height}:
			case <-ctx.Done():
				return
			}
		}
	}()

	return out
}

// maxSize is how many bytes the size of a terminal may take: a decoder keeps all of a value until it ends.
const maxSize = 1 << 10

var errTooLong = errors.New("it is too long")

// rationed reads no more than is left.
type rationed struct {
	io.Reader
	left int
}

// Read implements io.Reader.
func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errTooLong
	}
	n, err := r.Reader.Read(p[:min(len(p), r.left)])
	r.left -= n

	return n, err
}

// ended is what a client is told at the end, in the form and the words of a kubelet.
func (c command) ended(code int, err error) metav1.Status {
	switch {
	case err != nil:
		doing := "error executing command in container"
		if c.kind == kindAttach {
			doing = "error attaching to container"
		}
		return metav1.Status{
			Status: metav1.StatusFailure, Reason: metav1.StatusReasonInternalError, Code: http.StatusInternalServerError,
			Message: fmt.Sprintf("Internal error occurred: %s: %v", doing, err),
		}
	case code != 0:
		return metav1.Status{
			Status: metav1.StatusFailure, Reason: remotecommand.NonZeroExitCodeReason,
			Message: fmt.Sprintf("command terminated with non-zero exit code: command terminated with exit code %d", code),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(code)}}},
		}
	default:
		return metav1.Status{Status: metav1.StatusSuccess}
	}
}
