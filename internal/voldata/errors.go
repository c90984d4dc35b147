package voldata

import (
	"context"
	"errors"
	"fmt"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// ErrFull means that the node has no room for what was to be written.
var ErrFull = errors.New("the node has no room for it")

// ErrDiffers means that what was read back is not what was written.
var ErrDiffers = errors.New("what was written is not what is there")

// Error is what a call failed with. It prints what was done and the class, nothing that the engine has said.
type Error struct {
	what  string
	class error
	cause error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.what, e.class) }

// Unwrap gives the class and the cause.
func (e *Error) Unwrap() []error { return []error{e.class, e.cause} }

// Cause is what the engine has said, for logs. It may hold paths of the node.
func (e *Error) Cause() error { return e.cause }

// translate gives an error of Docker's client a class.
func translate(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}

	return &Error{what: fmt.Sprintf(format, args...), class: classOf(err), cause: err}
}

func classOf(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return swarmobj.ErrUnavailable
	case full(err):
		return ErrFull
	case cerrdefs.IsNotFound(err):
		return swarmobj.ErrNotFound
	// The engine says conflict both for names that are taken and for volumes that are in use; which it is, the caller knows.
	case cerrdefs.IsConflict(err):
		return swarmobj.ErrInUse
	case client.IsErrConnectionFailed(err), cerrdefs.IsUnavailable(err), cerrdefs.IsInternal(err):
		return swarmobj.ErrUnavailable
	case cerrdefs.IsInvalidArgument(err), cerrdefs.IsPermissionDenied(err), cerrdefs.IsFailedPrecondition(err), cerrdefs.IsNotImplemented(err):
		return swarmobj.ErrRefused
	}

	return swarmobj.ErrUnavailable
}

// full tells by the text of the kernel, which is all that an engine passes on.
func full(err error) bool {
	text := err.Error()

	return strings.Contains(text, "no space left on device") || strings.Contains(text, "disk quota exceeded")
}
