package payment

import (
	"errors"
	"fmt"
	"time"
)

// The classes of errors that a Gateway answers with. Match with errors.Is; each error has exactly one.
var (
	// ErrRefused: the gateway understood and will not do it. Nothing has happened, and asking again changes nothing.
	ErrRefused = errors.New("the payment gateway refuses it")
	// ErrNotModifiable: the payment no longer can be changed in this way. Status tells why; it may be that it was done
	// already.
	ErrNotModifiable = errors.New("the payment can no longer be changed")
	// ErrNotFound: the gateway knows no payment of the order: nobody has chosen a method yet.
	ErrNotFound = errors.New("the payment gateway knows no such payment")
	// ErrDuplicateOrder: the order has a payment already. Status tells how it stands.
	ErrDuplicateOrder = errors.New("the order has a payment already")
	// ErrMisconfigured: the gateway does not accept who we say we are, or what the merchant may do. It is the operator's
	// to repair, nothing has happened, and no new order is to be opened meanwhile.
	ErrMisconfigured = errors.New("the payment gateway is misconfigured")
	// ErrRateLimited: the gateway is asked too often. Nothing has happened.
	ErrRateLimited = errors.New("the payment gateway is asked too often")
	// ErrUnavailable: the gateway was not reached. Nothing has happened.
	ErrUnavailable = errors.New("the payment gateway cannot be reached")
	// ErrUnknownOutcome: no usable answer came. What was asked for may have happened or may still happen: keep what is
	// known, ask for the Status, never credit and never give up a hold because of it.
	ErrUnknownOutcome = errors.New("the payment gateway gave no usable answer")
	// ErrInvalidRequest: the request was not sent, because it cannot be right. It is a fault of ours.
	ErrInvalidRequest = errors.New("the request to the payment gateway is not valid")
)

// Classes are all classes there are.
var Classes = []error{
	ErrRefused, ErrNotModifiable, ErrNotFound, ErrDuplicateOrder, ErrMisconfigured, ErrRateLimited, ErrUnavailable,
	ErrUnknownOutcome, ErrInvalidRequest,
}

// Error is a failed call of a Gateway. Its text is made of closed lists: nothing of it was written by the gateway or by
// a payer, and it holds no key, address or time, because it ends in conditions.
type Error struct {
	// Class is one of Classes.
	Class error
	// Op that failed.
	Op Operation
	// OrderID that it was about.
	OrderID string
	// Code of the gateway or of HTTP; empty when there was no answer.
	Code string
	// Cause says more, in our own words; may be empty.
	Cause string
	// RetryAfter is how long the gateway asked to be left alone; zero when it did not.
	RetryAfter time.Duration
}

// Error is the class with what is known.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s of order %s: %v", e.Op, quoted(e.OrderID), e.Class)

	if e.Code != "" {
		text += " (code " + e.Code + ")"
	}

	if e.Cause != "" {
		text += ": " + e.Cause
	}

	return text
}

// Unwrap is the class.
func (e *Error) Unwrap() error { return e.Class }

// ClassOf is the class of an error; nil for nil and for errors that are none of a Gateway.
func ClassOf(err error) error {
	for _, class := range Classes {
		if errors.Is(err, class) {
			return class
		}
	}

	return nil
}

// NothingHappened is true for errors after which it is certain that the call had no effect and never will.
func NothingHappened(err error) bool {
	switch ClassOf(err) {
	case ErrRefused, ErrMisconfigured, ErrRateLimited, ErrUnavailable, ErrInvalidRequest:
		return true
	default:
		return false
	}
}
