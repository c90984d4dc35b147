package payment

import (
	"context"
	"time"
)

// Gateway takes payments and gives them back. Every method blocks until the gateway has answered or ctx is done; there is
// no retry in it, because whoever calls it tries again anyway. Errors belong to the classes of this package. An error of
// class ErrUnknownOutcome means that the call may have had its effect: ask for the Status before anything else.
type Gateway interface {
	// CreateCheckout opens a page on which the order can be paid. It is idempotent as long as nobody has chosen a method
	// on that page: then the earlier page dies and the new one counts. Later it fails with ErrDuplicateOrder, and Status
	// knows more.
	CreateCheckout(ctx context.Context, r CheckoutRequest) (Checkout, error)
	// Status reads what became of an order, or of one payment of it. It changes nothing. ErrNotFound means that nobody
	// has chosen a method yet; it does not mean that the page is gone.
	Status(ctx context.Context, r Reference) (Status, error)
	// Refund gives back a part of a settled payment. It is idempotent by its key. ErrRefused is definite: nothing was
	// given back and nothing will be.
	Refund(ctx context.Context, r RefundRequest) (RefundReceipt, error)
	// Cancel voids a payment that is not settled. It is idempotent; ErrNotModifiable means that it is too late or was
	// done already, which Status tells.
	Cancel(ctx context.Context, r ChangeRequest) error
	// Expire ends the time in which a pending payment can be made. It is idempotent in the way of Cancel. A page on which
	// nobody has chosen a method cannot be expired: ErrNotFound.
	Expire(ctx context.Context, r ChangeRequest) error
}

// CheckoutRequest asks for a page on which one order can be paid.
type CheckoutRequest struct {
	// OrderID, which the caller will know again whatever becomes of the call.
	OrderID string
	// Amount to pay.
	Amount IDR
	// Description is what the payer reads on the page; at most 50 characters are sent.
	Description string
	// Methods that the payer may choose from; all that the merchant has when empty.
	Methods []Method
	// Lifetime of the page, and of a payment that was begun on it: five minutes to seven days.
	Lifetime time.Duration
	// Opened is when the order was opened: what is begun on the page can be paid until Opened and Lifetime are over, no
	// matter when it was begun.
	Opened time.Time
	// ReturnURL is where the payer is sent afterwards; empty is nowhere in particular. Nothing is concluded from a payer
	// who comes back.
	ReturnURL string
	// Attempt counts the calls for this order that got a definite answer, so that each has its own idempotency key.
	Attempt int
}

// Checkout is a page on which an order can be paid.
type Checkout struct {
	// RedirectURL of the page: https, on a host that the gateway was configured with.
	RedirectURL string
	// Token by which a page of one's own can embed it. Whoever has it can pay, and do nothing else.
	Token string
}

// Reference names what to ask about.
type Reference struct {
	// OrderID that the answer must be about.
	OrderID string
	// TransactionID picks one payment of the order; the latest when empty. After a payment was credited it is the one to
	// ask for: a later attempt on the same order says nothing about it.
	TransactionID string
}

// ChangeRequest names a payment to cancel or to expire.
type ChangeRequest struct {
	Reference

	// Attempt counts the calls that got a definite answer, so that each has its own idempotency key.
	Attempt int
}

// RefundRequest asks to give money back.
type RefundRequest struct {
	Reference

	// Key is the UID of the Refund: the same key is the same refund, however often it is sent.
	Key string
	// Amount to give back.
	Amount IDR
	// Reason, which some payers' banks show.
	Reason string
	// Route is RouteDirect or RouteOnline, as RefundRoute says.
	Route Route
	// Attempt counts the calls that got a definite answer, so that each has its own idempotency key.
	Attempt int
}

// RefundReceipt is what the gateway said to a refund it accepted. The fact is the Status, which lists the key.
type RefundReceipt struct {
	// Key of the refund, as the gateway repeats it.
	Key string
	// Amount that it gives back.
	Amount IDR
	// Status of the payment after it.
	Status TransactionStatus
}
