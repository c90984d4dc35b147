package streams

import (
	"context"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/registry/rest"
	api "k8s.io/kubernetes/pkg/apis/core"

	"github.com/dogker/dogker/internal/fleet"
)

// connectMethods open a stream: POST for SPDY, GET for WebSocket.
var connectMethods = []string{http.MethodGet, http.MethodPost}

// execREST runs commands in containers.
type execREST struct{ server *Server }

var _ rest.Connecter = (*execREST)(nil)

func (*execREST) New() runtime.Object      { return &api.PodExecOptions{} }
func (*execREST) Destroy()                 {}
func (*execREST) ConnectMethods() []string { return connectMethods }

func (*execREST) NewConnectOptions() (options runtime.Object, subpath bool, param string) {
	return &api.PodExecOptions{}, false, ""
}

// Connect checks everything that can be checked before the protocol is switched, so that errors are answers.
func (e *execREST) Connect(ctx context.Context, name string, options runtime.Object, responder rest.Responder) (http.Handler, error) {
	s := e.server
	if err := s.mayCreate(ctx); err != nil {
		return nil, err
	}
	o, ok := options.(*api.PodExecOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	if len(o.Command) == 0 {
		return nil, apierrors.NewBadRequest("you must specify at least one command for the container")
	}
	pod, err := s.find(ctx, name, o.Container)
	if err != nil {
		return nil, err
	}
	if err := pod.running(); err != nil {
		return nil, err
	}

	return s.command(command{
		kind: kindExec, pod: pod, in: o.Stdin, out: o.Stdout, err: o.Stderr, tty: o.TTY,
		run: func(ctx context.Context, streams fleet.Streams) (int, error) {
			return s.Runtime.Exec(ctx, pod.place, fleet.ExecOptions{Command: o.Command, TTY: o.TTY}, streams)
		},
	}, responder)
}

// attachREST connects to the first process of a container.
type attachREST struct{ server *Server }

var _ rest.Connecter = (*attachREST)(nil)

func (*attachREST) New() runtime.Object      { return &api.PodAttachOptions{} }
func (*attachREST) Destroy()                 {}
func (*attachREST) ConnectMethods() []string { return connectMethods }

func (*attachREST) NewConnectOptions() (options runtime.Object, subpath bool, param string) {
	return &api.PodAttachOptions{}, false, ""
}

// Connect refuses a terminal that the container was not started with: nobody can give it one now.
func (a *attachREST) Connect(ctx context.Context, name string, options runtime.Object, responder rest.Responder) (http.Handler, error) {
	s := a.server
	if err := s.mayCreate(ctx); err != nil {
		return nil, err
	}
	o, ok := options.(*api.PodAttachOptions)
	if !ok {
		return nil, fmt.Errorf("invalid options object: %#v", options)
	}
	pod, err := s.find(ctx, name, o.Container)
	if err != nil {
		return nil, err
	}
	if err := pod.running(); err != nil {
		return nil, err
	}
	if o.TTY && !pod.Spec.Containers[0].TTY {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("container %q in pod %q has no terminal: use exec to start a process with one", pod.container(), name))
	}

	return s.command(command{
		kind: kindAttach, pod: pod, in: o.Stdin, out: o.Stdout, err: o.Stderr, tty: o.TTY,
		run: func(ctx context.Context, streams fleet.Streams) (int, error) {
			return 0, s.Runtime.Attach(ctx, pod.place, streams)
		},
	}, responder)
}
