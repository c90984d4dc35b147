package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// classes that the fleet's errors are of.
var classes = []error{swarmobj.ErrUnavailable, swarmobj.ErrNotFound, swarmobj.ErrRefused}

// classed gives an error of Docker's client its class. An agent answers as its engine does.
func classed(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // Which URL was asked for says nothing to people.
	}

	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case hasClass(err):
		return err
	case cerrdefs.IsNotFound(err):
		return fmt.Errorf("%w: %s", swarmobj.ErrNotFound, cleaned(err))
	case cerrdefs.IsConflict(err), cerrdefs.IsInvalidArgument(err), cerrdefs.IsPermissionDenied(err),
		cerrdefs.IsUnauthorized(err), cerrdefs.IsNotImplemented(err), cerrdefs.IsFailedPrecondition(err):
		return fmt.Errorf("%w: %s", swarmobj.ErrRefused, cleaned(err))
	case unanswered(err), cerrdefs.IsUnavailable(err):
		return fmt.Errorf("%w: %s", swarmobj.ErrUnavailable, cleaned(err))
	default:
		return err
	}
}

func hasClass(err error) bool {
	for _, class := range classes {
		if errors.Is(err, class) {
			return true
		}
	}

	return false
}

// unanswered is true when no answer came, or only the beginning of one.
func unanswered(err error) bool {
	var netErr net.Error

	return client.IsErrConnectionFailed(err) || errors.As(err, &netErr) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// cleaned is an error of the engine in its own words.
func cleaned(err error) string {
	return strings.ReplaceAll(err.Error(), "Error response from daemon: ", "")
}

// wordsOf is an error as the state of a node shows it: without the class that everybody will say again, and in the same
// words each time.
func wordsOf(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "it does not answer in time"
	}

	text := withoutClass(err)
	var op *net.OpError
	if errors.As(err, &op) {
		// Our own port is another one each time.
		plain := *op
		plain.Source = nil
		text = strings.Replace(text, op.Error(), plain.Error(), 1)
	}

	return text
}

// withoutClass is an error without the words of its class, which are the beginning of a longer sentence.
func withoutClass(err error) string {
	text := err.Error()
	for _, class := range classes {
		text = strings.TrimPrefix(text, class.Error()+": ")
	}

	return text
}
