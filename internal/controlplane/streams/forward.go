package streams

import (
	"context"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	translator "k8s.io/apiserver/pkg/util/proxy"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	api "k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/streaming/pkg/httpstream/wsstream"

	"github.com/dogker/dogker/internal/fleet"
)

// maxConnections of all port-forwards of a namespace at a time. A browser opens six to a host.
const maxConnections = 100

// forwardREST connects to ports of containers.
type forwardREST struct{ server *Server }

var _ rest.Connecter = (*forwardREST)(nil)

func (*forwardREST) New() runtime.Object      { return &api.PodPortForwardOptions{} }
func (*forwardREST) Destroy()                 {}
func (*forwardREST) ConnectMethods() []string { return connectMethods }

func (*forwardREST) NewConnectOptions() (options runtime.Object, subpath bool, param string) {
	return &api.PodPortForwardOptions{}, false, ""
}

// Connect serves three protocols: SPDY; SPDY through a WebSocket, which is what kubectl speaks since 1.31; and a WebSocket
// whose ports are in the query, which is what some libraries speak.
func (f *forwardREST) Connect(ctx context.Context, name string, options runtime.Object, responder rest.Responder) (http.Handler, error) {
	s := f.server
	if err := s.mayCreate(ctx); err != nil {
		return nil, err
	}
	o, ok := options.(*api.PodPortForwardOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	pod, err := s.find(ctx, name, "")
	if err != nil {
		return nil, err
	}
	if err := pod.running(); err != nil {
		return nil, err
	}

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnel := wsstream.IsWebSocketRequestWithTunnelingProtocol(r)
		if err := upgrading(r); err != nil {
			responder.Error(err)
			return
		}
		if wsstream.IsWebSocketRequest(r) && !tunnel && len(o.Ports) == 0 {
			responder.Error(apierrors.NewBadRequest(`query parameter "ports" is required`))
			return
		}
		st, err := s.open(r.Context(), kindForward, pod)
		if err != nil {
			responder.Error(err)
			return
		}
		defer st.close()
		answer := &switched{ResponseWriter: w, gone: func() { st.end(errGone) }}
		defer answer.close()
		// The library ends with the connection, and with nothing else.
		defer context.AfterFunc(st.ctx, answer.close)()

		serve := forward(&forwarder{runtime: s.Runtime, pod: pod, stream: st, connections: s.connections}, o.Ports)
		if tunnel {
			serve = translator.NewTunnelingHandler(answering(serve))
		}
		serve.ServeHTTP(answer, r)
	}), nil
}

// forward serves all connections of one port-forward.
func forward(f *forwarder, ports []int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The watchdog sees to idle streams.
		const never = 0
		portforward.ServePortForward(w, r, f, f.pod.Name, string(f.pod.UID), &portforward.V4Options{Ports: ports}, never, patience, portforward.SupportedProtocols)
	})
}

// forwarder connects data streams to ports of a container.
type forwarder struct {
	runtime     fleet.Runtime
	pod         found
	stream      *stream
	connections *rooms
}

// PortForward carries bytes both ways until both sides have said all.
func (f *forwarder) PortForward(_ context.Context, _, _ string, port int32, data io.ReadWriteCloser) error {
	leave, err := f.connections.enter(f.pod.Namespace)
	if err != nil {
		return err
	}
	defer leave()
	if port < 1 || port > 65535 {
		return fmt.Errorf("port %d must be from 1 to 65535", port)
	}
	conn, err := f.runtime.Dial(f.stream.ctx, f.pod.place, uint16(port))
	if err != nil {
		return fmt.Errorf("failed to connect to port %d of container %q: %w", port, f.pod.container(), f.stream.why(err))
	}
	defer conn.Close()
	defer context.AfterFunc(f.stream.ctx, func() { conn.Close() })()

	up := make(chan struct{})
	go func() {
		defer close(up)
		_, err := io.Copy(conn, watchedReader{data, f.stream.idle})
		if half, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
			// The client has said all, and may still listen.
			_ = half.CloseWrite()
			return
		}
		conn.Close()
	}()

	_, err = io.Copy(watchedWriter{data, f.stream.idle}, conn)
	data.Close()
	conn.Close()
	if f.stream.ctx.Err() != nil {
		return nil
	}
	select {
	case <-up: // The client closed first, and what broke was of its doing.
		return nil
	default:
		return err
	}
}
