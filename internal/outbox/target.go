package outbox

import (
	"context"
	"errors"

	"github.com/dogker/dogker/reconciler/alert"
)

// How a delivery fails. An error of none of these classes is ErrUnreachable.
var (
	// ErrUnreachable is that nothing can be delivered there now: all that lead there wait together.
	ErrUnreachable = errors.New("nothing is taken there now")
	// ErrRefused is that this notice is not taken. It is tried again for some time: what is set up wrong gets put right.
	ErrRefused = errors.New("it is refused")
	// ErrLater is that this notice is not taken now, but may be. It is tried until it is too old, and keeps no other waiting.
	ErrLater = errors.New("it is not taken now")
	// ErrFinal is that this notice is never going to be taken. It is given up at once.
	ErrFinal = errors.New("it is refused for good")
	// ErrGone is that there is no such Receiver any more.
	ErrGone = errors.New("the receiver is gone")
)

// Target is somebody who gets notices of a Receiver: one address, or one URL.
type Target interface {
	// Key tells the targets of a Receiver apart. It stays the same for as long as it leads to the same people, and has no
	// secret in it: it is stored and logged.
	Key() string
	// Lane names what the target shares with others: what cannot be reached for one cannot be for any.
	Lane() string
	// Send delivers a notice. It blocks until the target has taken it, and no longer than the context lasts. It is called
	// again for a notice that was taken when that could not be written down, so the target must be able to tell: the ID is
	// the same. Its errors have the classes above.
	Send(ctx context.Context, n alert.Notification) error
}

// Directory knows where Receivers lead.
type Directory interface {
	// Targets are those of the Receiver of a notice, now; none when nobody is to be told. It does not block: it is asked
	// often. The error is ErrGone when there is no such Receiver, and anything else is tried again.
	Targets(ctx context.Context, n alert.Notification) (Route, error)
}

// Route is where a Receiver leads.
type Route struct {
	Targets []Target
	// PerHour is how many notices it gets in an hour; what is over it waits. 0 is no limit.
	PerHour int
}

// Failed is an error of a class with what the tenant may know of it: a sentence without addresses, times, counters and
// secrets, that is the same each time. The cause is for operators.
func Failed(class error, says string, cause error) error {
	return &failure{class: class, says: says, cause: cause}
}

type failure struct {
	class error
	says  string
	cause error
}

// Error is for operators.
func (f *failure) Error() string {
	if f.cause == nil {
		return f.class.Error() + ": " + f.says
	}

	return f.class.Error() + ": " + f.cause.Error()
}

// Unwrap lets errors.Is find the class and the cause.
func (f *failure) Unwrap() []error { return []error{f.class, f.cause} }

// says is what a tenant may know of an error.
func says(err error) string {
	var f *failure
	if errors.As(err, &f) {
		return f.says
	}

	return "Nothing can be delivered there now."
}
