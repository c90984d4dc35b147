package payment

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/outcome"
)

func TestEnding(t *testing.T) {
	cases := map[error]struct {
		reason string
		wait   time.Duration
		stall  bool
	}{
		ErrUnavailable:    {ReasonGatewayUnavailable, 30 * time.Second, false},
		ErrUnknownOutcome: {ReasonGatewayUnavailable, 30 * time.Second, false},
		ErrRateLimited:    {ReasonGatewayBusy, time.Minute, false},
		ErrMisconfigured:  {ReasonGatewayMisconfigured, 5 * time.Minute, false},
		ErrRefused:        {ReasonGatewayRefused, 0, true},
		ErrInvalidRequest: {ReasonGatewayRefused, 0, true},
		ErrNotFound:       {}, ErrDuplicateOrder: {}, ErrNotModifiable: {},
	}
	if len(cases) != len(Classes) {
		t.Errorf("%d classes are tested, there are %d", len(cases), len(Classes))
	}

	for class, want := range cases {
		failed := fmt.Errorf("pay: %w", &Error{Class: class, Op: OpRefund, OrderID: orderID})

		var (
			wait  *outcome.Wait
			stall *outcome.Stall
		)

		switch got := Ending(failed); {
		case errors.As(got, &wait):
			if wait.Reason != want.reason || wait.After != want.wait || !errors.Is(got, class) {
				t.Errorf("%v: waits %s for %s", class, wait.After, wait.Reason)
			}

			if strings.Contains(wait.Message, orderID) {
				t.Errorf("%v: people are told %q", class, wait.Message)
			}
		case errors.As(got, &stall):
			if !want.stall || stall.Reason != want.reason {
				t.Errorf("%v: stalls for %s", class, stall.Reason)
			}
		default:
			if want.reason != "" || !errors.Is(got, failed) {
				t.Errorf("%v: ends in %v", class, got)
			}
		}

		if ClassOf(failed) != class {
			t.Errorf("%v is of the class %v", failed, ClassOf(failed))
		}
	}

	if Ending(nil) != nil {
		t.Error("nothing ends in something")
	}

	var wait *outcome.Wait
	if !errors.As(Ending(&Error{Class: ErrRateLimited, RetryAfter: 10 * time.Minute}), &wait) || wait.After != 10*time.Minute {
		t.Error("what the gateway asks for is not heard")
	}
}

// TestNothingHappened: doubt is never taken for certainty.
func TestNothingHappened(t *testing.T) {
	for _, class := range []error{ErrUnknownOutcome, ErrNotModifiable, ErrDuplicateOrder, ErrNotFound, errors.New("other"), nil} {
		if NothingHappened(class) {
			t.Errorf("after %v it is certain that nothing has happened", class)
		}
	}

	for _, class := range []error{ErrRefused, ErrMisconfigured, ErrRateLimited, ErrUnavailable, ErrInvalidRequest} {
		if !NothingHappened(&Error{Class: class}) {
			t.Errorf("after %v something may have happened", class)
		}
	}
}

func TestRefundRoute(t *testing.T) {
	for _, tc := range []struct {
		status TransactionStatus
		method Method
		want   Route
	}{
		{StatusSettlement, "qris", RouteDirect},
		{StatusPartialRefund, "credit_card", RouteDirect},
		{StatusSettlement, "ovo", RouteOnline},
		{StatusSettlement, "bank_transfer", RouteManual},
		{StatusSettlement, "cstore", RouteManual},
		{StatusSettlement, "new", RouteManual},
		{StatusCapture, "credit_card", RouteCancel},
		{StatusPending, "bank_transfer", RouteCancel},
		{StatusRefund, "qris", RouteNone},
		{StatusDeny, "qris", RouteNone},
		{"new", "qris", RouteNone},
	} {
		if got := RefundRoute(Status{Transaction: tc.status, Type: tc.method}); got != tc.want {
			t.Errorf("%s of %s goes back by %s, want %s", tc.status, tc.method, got, tc.want)
		}
	}
}

func TestTextOfErrors(t *testing.T) {
	for want, err := range map[string]*Error{
		`refund of order "o": the payment gateway refuses it`:                                         {Class: ErrRefused, Op: OpRefund, OrderID: "o"},
		`status of order "o": the payment gateway gave no usable answer (code 502): it failed`:        {Class: ErrUnknownOutcome, Op: OpStatus, OrderID: "o", Code: "502", Cause: "it failed"},
		`cancel of order "a\n\x1b": the payment can no longer be changed (code 412)`:                  {Class: ErrNotModifiable, Op: OpCancel, OrderID: "a\n\x1b", Code: "412"},
		`checkout of order "` + strings.Repeat("a", 32) + `"…: the payment gateway cannot be reached`: {Class: ErrUnavailable, Op: OpCheckout, OrderID: strings.Repeat("a", 99)},
	} {
		if got := err.Error(); got != want {
			t.Errorf("reads %s\nwant  %s", got, want)
		}
	}
}
