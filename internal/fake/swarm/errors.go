package swarm

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/containerd/errdefs/pkg/errhttp"
	"github.com/docker/docker/client"
)

// apiError is an answer of the engine that Docker's client turns into an error: a text with a preface, of the class that
// belongs to the HTTP status.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return "Error response from daemon: " + e.text }

// Is makes containerd's errdefs classes match, as they do for errors of Docker's client.
func (e *apiError) Is(target error) bool {
	return errors.Is(errhttp.ToNative(e.status), target)
}

// ErrorResponse is an answer of an engine with that HTTP status and text.
func ErrorResponse(status int, text string) error { return &apiError{status: status, text: text} }

func refuse(status int, format string, args ...any) error {
	return ErrorResponse(status, fmt.Sprintf(format, args...))
}

// invalid is what swarmkit says of a spec it will not have.
func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "rpc error: code = InvalidArgument desc = "+format, args...)
}

func notFound(kind, ref string) error {
	return refuse(http.StatusNotFound, "%s %s not found", kind, ref)
}

func alreadyExists(format string, args ...any) error {
	return refuse(http.StatusConflict, "rpc error: code = AlreadyExists desc = "+format, args...)
}

func unimplemented(format string, args ...any) error {
	return refuse(http.StatusNotImplemented, "rpc error: code = Unimplemented desc = "+format, args...)
}

// errOutOfSequence is the answer to a stale version: a bare error without a code in swarmkit, and so an HTTP 500.
func errOutOfSequence() error {
	return refuse(http.StatusInternalServerError, "rpc error: code = Unknown desc = update out of sequence")
}

// ErrNoLeader is what a manager answers while the swarm has no leader.
func ErrNoLeader() error {
	return refuse(http.StatusInternalServerError, "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.")
}

// ErrDeadline is what a manager answers after its own 20 seconds have passed without a decision of the swarm.
func ErrDeadline() error {
	return refuse(http.StatusInternalServerError, "rpc error: code = DeadlineExceeded desc = context deadline exceeded")
}

// ErrNotManager is what a worker answers to questions about the swarm.
func ErrNotManager() error {
	return refuse(http.StatusServiceUnavailable, `This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.`)
}

// ErrInactive is what an engine answers that is in no swarm.
func ErrInactive() error {
	return refuse(http.StatusServiceUnavailable, `This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.`)
}

// ErrConnection is what Docker's client says when there is nobody to talk to.
func ErrConnection() error {
	//nolint:staticcheck // SA1019: no other way makes an error that client.IsErrConnectionFailed recognises.
	return client.ErrorConnectionFailed("unix:///var/run/docker.sock")
}
