package midtrans

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/midtrans/midtrans-go"

	"github.com/dogker/dogker/reconciler/payment"
)

// maxAnswer is how much of an answer is read, in bytes.
const maxAnswer = 1 << 20

// exchange is one call: it carries what the module does not, and implements sdk.HttpClient for the one client that is
// made for it. It is used once.
type exchange struct {
	g   *Gateway
	ctx context.Context //nolint:containedctx // the module's clients pass no context; this is the call itself
	op  payment.Operation
	ref payment.Reference
	// key makes a repetition of the same attempt the same to Midtrans; empty for what only reads.
	key string

	// code and answer are what came back, err what became of it in our words.
	code   string
	answer payment.Answer
	err    error
}

func (g *Gateway) exchange(ctx context.Context, op payment.Operation, ref payment.Reference, detail string, attempt int) *exchange {
	x := &exchange{g: g, ctx: ctx, op: op, ref: ref}
	if op != payment.OpStatus {
		x.key = payment.IdempotencyKey(ref.OrderID, op, detail, attempt)
	}

	return x
}

// run makes the call and reads its answer; read says why the answer is none, or nothing. Its errors are payment.Errors:
// what the module makes of them is not looked at, and its pointer never becomes an error, because a nil one would not be
// nil any more.
func (x *exchange) run(call func() *sdk.Error, read func(payment.Answer) (cause string)) error {
	ctx, cancel := context.WithTimeout(x.ctx, timeout)
	defer cancel()

	x.ctx = ctx
	begun := time.Now()

	x.err = x.admit()
	if x.err == nil {
		x.err = x.made(call)
	}

	if x.err == nil {
		if cause := read(x.answer); cause != "" {
			x.err = x.unusable(cause)
		}
	}

	x.g.metrics.observe(x.op, x.code, x.err, time.Since(begun), x.g.Misconfigured())

	return x.err
}

// made makes the call in the place that admit has taken.
func (x *exchange) made(call func() *sdk.Error) error {
	defer func() { <-x.g.places }()

	if failed := call(); failed != nil && x.err == nil {
		return x.unusable("the module for Midtrans could not make the request")
	}

	return x.err
}

// admit waits for a free place, unless Midtrans is better left alone. What is not admitted was not sent.
func (x *exchange) admit() error {
	if held := x.g.breaker.check(time.Now()); held != nil {
		return x.fail(held.class, held.cause, time.Until(held.until))
	}

	select {
	case x.g.places <- struct{}{}:
		return nil
	case <-x.ctx.Done():
		return x.fail(payment.ErrUnavailable, "it was not asked: too many calls are under way", 0)
	}
}

// Call implements sdk.HttpClient. The options and the result are left alone: the former have no context, and the latter
// would fail on fields of an unexpected type.
func (x *exchange) Call(method, target string, apiKey *string, _ *sdk.ConfigOptions, body io.Reader, _ any) *sdk.Error {
	request, err := x.request(method, target, apiKey, body)
	if err != nil {
		x.err = err
	} else {
		x.err = x.send(request)
	}

	if x.err != nil {
		return &sdk.Error{Message: x.err.Error(), RawError: x.err}
	}

	return nil
}

// request is what the module asks for, addressed to where Midtrans is configured to be.
func (x *exchange) request(method, target string, apiKey *string, body io.Reader) (*http.Request, error) {
	asked, err := url.Parse(target)
	if err != nil || apiKey == nil {
		return nil, x.fail(payment.ErrInvalidRequest, "the module for Midtrans made no usable request", 0)
	}

	base := x.g.core
	if x.op == payment.OpCheckout {
		base = x.g.snap
	}

	where := *base
	where.Path += asked.Path

	request, err := http.NewRequestWithContext(x.ctx, method, where.String(), body)
	if err != nil {
		return nil, x.fail(payment.ErrInvalidRequest, "the module for Midtrans made no usable request", 0)
	}

	// Without it the transport does not send a body again by itself, which it otherwise does because of the header below.
	// Whether to repeat is decided by controllers, after they have looked.
	request.GetBody = nil

	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", x.g.userAgent)
	request.SetBasicAuth(*apiKey, "")

	if x.key != "" {
		request.Header.Set("Idempotency-Key", x.key)
	}

	return request, nil
}

// send makes the request, reads the answer to its bound, and classifies what came.
func (x *exchange) send(request *http.Request) error {
	response, err := x.g.http.Do(request)
	if err != nil {
		return x.broken(err)
	}

	defer func() { _ = response.Body.Close() }()

	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))

	switch {
	case err != nil:
		return x.broken(err)
	case len(body) > maxAnswer:
		return x.unusable("its answer is too large")
	}

	return x.classify(response.StatusCode, response.Header, body)
}

// broken is a connection that failed. Before it stood, nothing was sent; afterwards nobody knows.
func (x *exchange) broken(err error) error {
	if errors.Is(x.ctx.Err(), context.Canceled) {
		return x.fail(payment.ErrUnknownOutcome, "the call was given up", 0)
	}

	var dial *net.OpError

	class := payment.ErrUnknownOutcome
	if errors.As(err, &dial) && dial.Op == "dial" {
		class = payment.ErrUnavailable
	}

	text := causeText(err)
	x.g.breaker.failed(time.Now(), payment.ErrUnavailable, text, 0)

	return x.fail(class, text, 0)
}

// fail is an error about this call.
func (x *exchange) fail(class error, cause string, after time.Duration) error {
	return &payment.Error{Class: class, Op: x.op, OrderID: x.ref.OrderID, Code: x.code, Cause: cause, RetryAfter: max(0, after)}
}

// unusable is an answer that is none, whatever HTTP says about it.
func (x *exchange) unusable(cause string) error {
	return x.fail(payment.ErrUnknownOutcome, cause, 0)
}

// subject is what the call is about, as a part of the path: it was checked and needs no escaping.
func (x *exchange) subject() string {
	if x.ref.TransactionID != "" {
		return x.ref.TransactionID
	}

	return x.ref.OrderID
}

// elsewhere says why an answer is not about what was asked for; empty when it is.
func (x *exchange) elsewhere(a payment.Answer) string {
	switch {
	case a.OrderID() != x.ref.OrderID:
		return "its answer is about another order"
	case x.ref.TransactionID != "" && a.TransactionID() != x.ref.TransactionID:
		return "its answer is about another payment"
	default:
		return ""
	}
}

// invalid is a request that was not sent. What is wrong with it is ours, so it may be said.
func invalid(op payment.Operation, orderID string, err error) error {
	return &payment.Error{Class: payment.ErrInvalidRequest, Op: op, OrderID: orderID, Cause: err.Error()}
}
