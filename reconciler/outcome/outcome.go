package outcome

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Result is what a pass that ended without an error asks for.
type Result struct {
	// RequeueAfter is when to look again although nothing has changed; zero is not before somebody reports a change.
	RequeueAfter time.Duration
	// Finalized is true when nothing of a deleted object is left, so that its finalizer can go.
	Finalized bool
}

// Wait ends a pass that can go no further until somebody else has moved: the engine, a registry, another object.
type Wait struct {
	// Reason for the conditions Ready and Reconciling: one word in CamelCase.
	Reason string
	// Message for people; the text of Err when empty. Free of times and counters, so that the same wait reads the same.
	Message string
	// Err is the cause, for the log; it may be nil.
	Err error
	// After is when to look again; zero is DefaultWait.
	After time.Duration
	// Ready is the status of the condition Ready meanwhile; False when empty. Unknown is for a world that cannot be
	// seen, True for a wait that takes nothing away from what runs.
	Ready metav1.ConditionStatus
}

// DefaultWait is how long a Wait lasts that does not say.
const DefaultWait = 10 * time.Second

// Error returns what people are told.
func (w *Wait) Error() string { return text(w.Reason, w.Message, w.Err) }

// Unwrap returns the cause.
func (w *Wait) Unwrap() error { return w.Err }

// Stall ends a pass that cannot succeed until somebody changes something: the spec, or what it refers to. It is not
// retried; the change is what starts the next pass.
type Stall struct {
	// Reason for the conditions Ready and Stalled: one word in CamelCase.
	Reason string
	// Message for people; the text of Err when empty. It says what to change.
	Message string
	// Err is the cause, for the log; it may be nil.
	Err error
	// Ready is the status of the condition Ready meanwhile; False when empty.
	Ready metav1.ConditionStatus
}

// Error returns what people are told.
func (s *Stall) Error() string { return text(s.Reason, s.Message, s.Err) }

// Unwrap returns the cause.
func (s *Stall) Unwrap() error { return s.Err }

// text is the message, or else the cause, or else at least the reason.
func text(reason, message string, cause error) string {
	switch {
	case message != "":
		return message
	case cause != nil:
		return cause.Error()
	default:
		return reason
	}
}
