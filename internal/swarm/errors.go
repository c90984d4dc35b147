package swarm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// callError is what a call to the engine failed with: a class for code to decide by, and words for people. Where the
// engine's own text names what a tenant must not see, such as another service, words is empty.
type callError struct {
	class error // One of swarmobj's classes, or nil for an error that has none.
	words string
	cause error // Kept for errors.Is on context errors; never printed.
}

func (e *callError) Error() string {
	switch {
	case e.class == nil:
		return e.words
	case e.words == "":
		return e.class.Error()
	default:
		return fmt.Sprintf("%v: %s", e.class, e.words)
	}
}

func (e *callError) Unwrap() []error {
	if e.class == nil {
		return []error{e.cause}
	}

	return []error{e.class, e.cause}
}

// rule translates one kind of answer. The first rule that fits decides.
type rule struct {
	text  string                // The engine's text holds this. Empty fits any text.
	is    func(error) bool      // The client's error is of this kind. Nil fits any.
	class error                 // What it means.
	words func(s string) string // What of the text people may see. Nil means nothing.
}

// rules are ordered from the particular to the general. Engines answer many of these as HTTP 500, so that the text is
// all there is to go by; live tests hold the texts against a real engine.
var rules = []rule{
	{text: "update out of sequence", class: swarmobj.ErrStale},

	{text: "Worker nodes can't be used to view or modify cluster state", class: swarmobj.ErrNotManager},
	{text: "This node is not a swarm manager", class: swarmobj.ErrInactive},
	{text: "This node is not part of a swarm", class: swarmobj.ErrInactive},
	{text: "Cannot create a multi-host network from a worker node", class: swarmobj.ErrNotManager},
	{text: "cannot create a swarm scoped network when swarm is not active", class: swarmobj.ErrInactive},
	{text: "Swarm is encrypted and needs to be unlocked", class: swarmobj.ErrInactive, words: cleaned},
	{text: "Swarm certificates have expired", class: swarmobj.ErrInactive, words: cleaned},
	{text: "The swarm does not have a leader", class: swarmobj.ErrNoLeader},

	{text: "is already in use by service", class: swarmobj.ErrPortInUse},
	{text: "is in use by the following service", class: swarmobj.ErrInUse},
	{text: "is in use by service", class: swarmobj.ErrInUse},
	{text: "is in use by task", class: swarmobj.ErrInUse},
	{text: "has active endpoints", class: swarmobj.ErrInUse},

	{text: "raft message is too large", class: swarmobj.ErrRefused, words: cleaned},
	{is: cerrdefs.IsConflict, class: swarmobj.ErrExists},
	{text: "name conflicts with an existing object", class: swarmobj.ErrExists},

	// A door that does not lead to an engine says this of everything.
	{text: "page not found", class: swarmobj.ErrUnavailable, words: cleaned},
	// A reference to a network that is gone is a 500, to a secret a 400, and an object that is gone itself a 404. All of
	// them mean: look again.
	{text: "not found", is: anyStatus, class: swarmobj.ErrNotFound, words: cleaned},
	{is: cerrdefs.IsNotFound, class: swarmobj.ErrNotFound, words: cleaned},

	{is: cerrdefs.IsNotImplemented, class: swarmobj.ErrRefused, words: cleaned},
	{is: cerrdefs.IsInvalidArgument, class: swarmobj.ErrRefused, words: cleaned},
	{is: cerrdefs.IsPermissionDenied, class: swarmobj.ErrRefused, words: cleaned},
	{is: cerrdefs.IsUnauthorized, class: swarmobj.ErrRefused, words: cleaned},
}

// anyStatus is true for an error that the engine itself answered, as opposed to one on the way to it.
func anyStatus(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsInvalidArgument(err) || cerrdefs.IsInternal(err)
}

// translateRead gives the error of a read its class. No answer means that nothing is known.
func translateRead(err error) error {
	if err == nil {
		return nil
	}
	if class, words, ok := match(err); ok {
		return &callError{class: class, words: words, cause: err}
	}
	if unanswered(err) || engineGaveUp(err) {
		return &callError{class: swarmobj.ErrUnavailable, words: cleaned(err.Error()), cause: err}
	}

	return &callError{words: cleaned(err.Error()), cause: err}
}

// translateWrite gives the error of a write its class. sent is false when the request is known not to have left. An
// answer that says neither yes nor no, and no answer, both mean that the write may have happened: a manager that loses
// its leadership answers an error for a write that the next leader carries out.
func translateWrite(err error, sent bool) error {
	if err == nil {
		return nil
	}
	if class, words, ok := match(err); ok {
		return &callError{class: class, words: words, cause: err}
	}
	if !sent && unanswered(err) {
		return &callError{class: swarmobj.ErrUnavailable, words: cleaned(err.Error()), cause: err}
	}

	return &callError{class: swarmobj.ErrUnknownOutcome, words: cleaned(err.Error()), cause: err}
}

// match finds the first rule that fits. The class is part of what it finds, not an error of its own.
//
//nolint:staticcheck // ST1008: the class is a result.
func match(err error) (class error, words string, ok bool) {
	text := err.Error()

	for _, r := range rules {
		if r.text != "" && !strings.Contains(text, r.text) {
			continue
		}
		if r.is != nil && !r.is(err) {
			continue
		}
		if r.words != nil {
			words = r.words(text)
		}

		return r.class, words, true
	}

	return nil, "", false
}

// unanswered is true when no answer of the engine came, or only the beginning of one.
func unanswered(err error) bool {
	var netErr net.Error

	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, context.Canceled) ||
		errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &netErr)
}

// engineGaveUp is true when the engine answers that it has no answer: it waits for a leader for 20 seconds.
func engineGaveUp(err error) bool {
	if cerrdefs.IsUnavailable(err) {
		return true
	}

	text := err.Error()

	for _, sign := range []string{
		"code = DeadlineExceeded", "context deadline exceeded", "code = Unavailable", "code = Canceled",
		"node lost leader status", "transport is closing",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}

	return false
}

// wrapping is what the client and the engine's inner calls put around the words that matter.
var wrapping = regexp.MustCompile(`(Error response from daemon: |rpc error: code = \w+ desc = )`)

// cleaned is the engine's text without its wrapping.
func cleaned(text string) string { return wrapping.ReplaceAllString(text, "") }

// classes name the classes for metrics.
var classes = []struct {
	err  error
	name string
}{
	{swarmobj.ErrUnavailable, "unavailable"},
	{swarmobj.ErrInactive, "inactive"},
	{swarmobj.ErrNotManager, "not_manager"},
	{swarmobj.ErrNoLeader, "no_leader"},
	{swarmobj.ErrStale, "stale"},
	{swarmobj.ErrExists, "exists"},
	{swarmobj.ErrNotFound, "not_found"},
	{swarmobj.ErrInUse, "in_use"},
	{swarmobj.ErrPortInUse, "port_in_use"},
	{swarmobj.ErrRefused, "refused"},
	{swarmobj.ErrUnknownOutcome, "unknown_outcome"},
}

// codeOf is the label code of the request metrics.
func codeOf(err error) string {
	if err == nil {
		return "ok"
	}

	for _, c := range classes {
		if errors.Is(err, c.err) {
			return c.name
		}
	}

	return "error"
}

// blinding is true for an error that says that the engine as a whole cannot be asked, not that one call failed.
func blinding(err error) bool {
	return errors.Is(err, swarmobj.ErrUnavailable) || errors.Is(err, swarmobj.ErrInactive) ||
		errors.Is(err, swarmobj.ErrNotManager) || errors.Is(err, swarmobj.ErrNoLeader)
}

// refusedConnection is true when the client says that it could not connect at all.
func refusedConnection(err error) bool {
	if !client.IsErrConnectionFailed(err) {
		return false
	}

	text := err.Error()

	return strings.Contains(text, "Cannot connect to the Docker daemon") ||
		strings.Contains(text, "connection refused") ||
		strings.Contains(text, "permission denied while trying to connect") ||
		strings.Contains(text, ": dial ")
}
