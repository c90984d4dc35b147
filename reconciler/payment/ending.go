package payment

import (
	"errors"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/outcome"
)

// Reasons for conditions of objects that wait for the gateway.
const (
	// ReasonGatewayUnavailable: it does not answer, or not usably.
	ReasonGatewayUnavailable = "GatewayUnavailable"
	// ReasonGatewayMisconfigured: it does not accept the operator's key or settings.
	ReasonGatewayMisconfigured = "GatewayMisconfigured"
	// ReasonGatewayBusy: it asks to be asked less often.
	ReasonGatewayBusy = "GatewayBusy"
	// ReasonGatewayRefused: it understood and will not do it.
	ReasonGatewayRefused = "GatewayRefused"
)

// How long to wait before the gateway is asked again.
const (
	waitUnavailable   = 30 * time.Second
	waitMisconfigured = 5 * time.Minute
	waitBusy          = time.Minute
)

// Ending is how a pass ends that could go no further because of err: an *outcome.Wait while the gateway or the operator
// has to move, an *outcome.Stall when nothing but a change of the object helps. Errors of the other classes, on which a
// controller has to act, and errors of no class are returned as they are. It is nil for nil.
//
// What people are told says nothing about what is configured how; the log, which gets the error, says more.
func Ending(err error) error {
	var e *Error

	retryAfter := time.Duration(0)
	if errors.As(err, &e) {
		retryAfter = e.RetryAfter
	}

	switch ClassOf(err) {
	case ErrUnavailable, ErrUnknownOutcome:
		return wait(ReasonGatewayUnavailable, "The payment gateway does not answer; nothing is lost, it is asked again", max(waitUnavailable, retryAfter), err)
	case ErrRateLimited:
		return wait(ReasonGatewayBusy, "The payment gateway asks for patience; it is asked again", max(waitBusy, retryAfter), err)
	case ErrMisconfigured:
		return wait(ReasonGatewayMisconfigured, "The payment gateway does not accept this installation; the operator has to look at its settings", max(waitMisconfigured, retryAfter), err)
	case ErrRefused, ErrInvalidRequest:
		return &outcome.Stall{Reason: ReasonGatewayRefused, Message: "The payment gateway refuses the request", Err: err}
	default:
		return err
	}
}

func wait(reason, message string, after time.Duration, err error) error {
	return &outcome.Wait{Reason: reason, Message: message, After: after, Err: err, Ready: metav1.ConditionUnknown}
}
