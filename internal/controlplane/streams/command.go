package streams

import (
	"context"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/streaming/pkg/httpstream/wsstream"

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
