package midtrans

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/payment"
)

// calls are all operations, each as one call about order1.
var calls = map[payment.Operation]func(context.Context, *bench) error{
	payment.OpCheckout: func(ctx context.Context, b *bench) error {
		_, err := b.CreateCheckout(ctx, checkout())
		return err
	},
	payment.OpStatus: func(ctx context.Context, b *bench) error {
		_, err := b.Status(ctx, ref())
		return err
	},
	payment.OpRefund: func(ctx context.Context, b *bench) error {
		_, err := b.Refund(ctx, payment.RefundRequest{Reference: ref(), Key: "r", Amount: 1, Route: payment.RouteDirect})
		return err
	},
	payment.OpCancel: func(ctx context.Context, b *bench) error {
		return b.Cancel(ctx, payment.ChangeRequest{Reference: ref()})
	},
	payment.OpExpire: func(ctx context.Context, b *bench) error {
		return b.Expire(ctx, payment.ChangeRequest{Reference: ref()})
	},
}

// failures are what can come back from any call.
var failures = map[string]struct {
	reason string
	fault  fake.Fault
	class  error
}{
	"ServerError":   {"It may have been done.", fake.Code(500, "Sorry, we encountered internal server error"), payment.ErrUnknownOutcome},
	"BadGateway":    {"HTML of a proxy says nothing.", fake.HTML(502), payment.ErrUnknownOutcome},
	"HTMLAndOK":     {"A portal that wants to be logged in to.", fake.HTML(200), payment.ErrUnknownOutcome},
	"HTMLNotFound":  {"Only Midtrans' own JSON says that there is no payment.", fake.HTML(404), payment.ErrUnknownOutcome},
	"Null":          {"The module takes it for an empty success.", fake.Null(), payment.ErrUnknownOutcome},
	"Empty":         {"A success without a word.", fake.Empty(200), payment.ErrUnknownOutcome},
	"EmptyObject":   {"A success that says nothing.", fake.Answer(200, "application/json", `{}`), payment.ErrUnknownOutcome},
	"Array":         {"JSON of another kind.", fake.Answer(200, "application/json", `[]`), payment.ErrUnknownOutcome},
	"Cut":           {"JSON that ends early.", fake.Answer(200, "application/json", `{"status_code":"200","order_id":"`), payment.ErrUnknownOutcome},
	"Deep":          {"JSON that would eat the stack.", fake.Answer(200, "application/json", strings.Repeat(`{"a":`, 1000)), payment.ErrUnknownOutcome},
	"Contradiction": {"HTTP says no, the body says yes.", fake.Answer(400, "application/json", `{"status_code":"200"}`), payment.ErrUnknownOutcome},
	"NoCode":        {"A code that is none.", fake.Answer(200, "application/json", `{"status_code":"ok"}`), payment.ErrUnknownOutcome},
	"Endless":       {"An answer is read to a limit.", fake.Endless(), payment.ErrUnknownOutcome},
	"Dropped":       {"It may have been done.", fake.Drop(), payment.ErrUnknownOutcome},
	"Redirect":      {"The key would go elsewhere.", fake.Redirect("http://192.0.2.1/"), payment.ErrUnknownOutcome},
	"Unauthorized":  {"The key is wrong; the operator's to repair.", fake.Code(401, "Access denied"), payment.ErrMisconfigured},
	"ProxyDenies":   {"Whoever says 401, the key or the way is wrong.", fake.HTML(401), payment.ErrMisconfigured},
	"Deactivated":   {"The merchant's account is.", fake.Code(410, "Merchant account is deactivated"), payment.ErrMisconfigured},
	"NotAllowed":    {"The merchant may not.", fake.Code(402, "Merchant has no access for this payment type"), payment.ErrMisconfigured},
	"TooMany":       {"It says when to come back.", fake.TooMany(120), payment.ErrRateLimited},
	"Invalid":       {"It understood, and will not.", fake.Code(400, "card 4811 1111 1111 1114 is invalid, key "+secret), payment.ErrRefused},
	"WrongType":     {"408 in the body is not the timeout of HTTP.", fake.Code(408, "Wrong data type"), payment.ErrRefused},
	"Duplicate":     {"The order has a payment.", fake.Code(406, "Duplicate order ID"), payment.ErrDuplicateOrder},
	"TooLate":       {"The status is final.", fake.Code(412, "Merchant cannot modify status of transaction"), payment.ErrNotModifiable},
	"NotFound":      {"Nobody has chosen a method.", fake.Code(404, "Transaction doesn't exist."), payment.ErrNotFound},
}

func TestFailures(t *testing.T) {
	for op, call := range calls {
		for name, tc := range failures {
			t.Run(string(op)+name, func(t *testing.T) {
				b := newBench(t, fake.Options{})
				b.fake.Script(op, tc.fault)

				err := call(t.Context(), b)
				b.log.saw(err)

				if !errors.Is(err, tc.class) || payment.ClassOf(err) != tc.class {
					t.Errorf("%s\nerror is %v, want class %q", tc.reason, err, tc.class)
				}

				var e *payment.Error
				if !errors.As(err, &e) || e.Op != op || e.OrderID != order1 {
					t.Errorf("error is %#v", err)
				}
			})
		}
	}
}

// TestLostAnswers: what was done and not answered is found by looking, and done once.
func TestLostAnswers(t *testing.T) {
	lost := map[string]fake.Fault{
		"Dropped": fake.Lost(fake.Drop()), "Failed": fake.Lost(fake.Code(500, "")), "HTML": fake.Lost(fake.HTML(504)), "Null": fake.Lost(fake.Null()),
		"WrongOrder": fake.WrongOrder(),
	}

	for name, fault := range lost {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, fake.Options{})
			b.pay(t, "other_qris")
			b.fake.Script(payment.OpRefund, fault)

			err := calls[payment.OpRefund](t.Context(), b)
			b.log.saw(err)

			if !errors.Is(err, payment.ErrUnknownOutcome) || payment.NothingHappened(err) {
				t.Fatalf("the answer is lost: %v", err)
			}

			if _, ok := b.must(t).Refund("r"); !ok {
				t.Error("looking does not find it")
			}

			if err := calls[payment.OpRefund](t.Context(), b); err != nil {
				t.Errorf("asking again: %v", err)
			}

			if s := b.must(t); len(s.Refunds) != 1 {
				t.Errorf("it was made as %+v", s.Refunds)
			}
		})
	}
}

// TestAnswersAboutSomethingElse: an answer is for what was asked, or it is none.
func TestAnswersAboutSomethingElse(t *testing.T) {
	set := func(field string, v any) fake.Fault {
		return fake.Rewritten(func(body map[string]any) { body[field] = v })
	}

	cases := map[string]struct {
		op    payment.Operation
		fault fake.Fault
	}{
		"StatusOfOtherOrder":    {payment.OpStatus, fake.WrongOrder()},
		"StatusWithoutOrder":    {payment.OpStatus, set("order_id", nil)},
		"StatusWithoutStatus":   {payment.OpStatus, set("transaction_status", "")},
		"StatusWithoutPayment":  {payment.OpStatus, set("transaction_id", nil)},
		"RefundOfOtherKey":      {payment.OpRefund, set("refund_key", "other")},
		"RefundOfOtherAmount":   {payment.OpRefund, set("refund_amount", "2.00")},
		"RefundWithoutKey":      {payment.OpRefund, set("refund_key", nil)},
		"RefundUnderWay":        {payment.OpRefund, set("status_code", "201")},
		"CancelWithoutDoing":    {payment.OpCancel, set("transaction_status", "pending")},
		"ExpireOfOtherOrder":    {payment.OpExpire, fake.WrongOrder()},
		"SameCallIsUnderWay":    {payment.OpRefund, fake.Code(202, "The request is being processed")},
		"PageElsewhere":         {payment.OpCheckout, set("redirect_url", "https://evil.example.com/snap/v2/vtweb/x")},
		"PageOnAnotherHost":     {payment.OpCheckout, set("redirect_url", "http://evil.example.com/snap/v2/vtweb/x")},
		"PageOfAScript":         {payment.OpCheckout, set("redirect_url", "javascript:alert(1)")},
		"PageWithCredentials":   {payment.OpCheckout, set("redirect_url", "http://a:b@127.0.0.1/")},
		"PageWithoutURL":        {payment.OpCheckout, set("redirect_url", nil)},
		"PageWithoutToken":      {payment.OpCheckout, set("token", 7)},
		"PageWithEndlessURL":    {payment.OpCheckout, set("redirect_url", "http://127.0.0.1/"+strings.Repeat("a", 4096))},
		"PageThatIsNoJSON":      {payment.OpCheckout, fake.HTML(201)},
		"StatusOfOtherPayments": {payment.OpStatus, set("order_id", []string{order1})},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, fake.Options{})

			if tc.op != payment.OpCheckout {
				b.open(t)

				if _, err := b.fake.Choose(order1, "other_qris"); err != nil {
					t.Fatal(err)
				}
			}

			if tc.op == payment.OpRefund {
				if err := b.fake.Settle(order1); err != nil {
					t.Fatal(err)
				}
			}

			b.fake.Script(tc.op, tc.fault)

			err := calls[tc.op](t.Context(), b)
			b.log.saw(err)

			if !errors.Is(err, payment.ErrUnknownOutcome) {
				t.Errorf("%v, want %v", err, payment.ErrUnknownOutcome)
			}
		})
	}

	b := newBench(t, fake.Options{})
	b.pay(t, "other_qris")

	tx := b.must(t).TransactionID
	b.fake.Script(payment.OpStatus, fake.Rewritten(func(body map[string]any) { body["transaction_id"] = "tx-other" }))

	if _, err := b.Status(t.Context(), payment.Reference{OrderID: order1, TransactionID: tx}); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("the status of another payment: %v", err)
	}
}

// TestContradictionsAreDoubt: a body that says that all is well under a status of HTTP that says it is not.
func TestContradictionsAreDoubt(t *testing.T) {
	for _, status := range []int{302, 400, 401, 404, 412, 500} {
		b := newBench(t, fake.Options{})
		b.pay(t, "other_qris")
		b.fake.Script(payment.OpStatus, func(w http.ResponseWriter, r *http.Request, do http.HandlerFunc) {
			rec := httptest.NewRecorder()
			do(rec, r)
			fake.Answer(status, "application/json", rec.Body.String())(w, r, do)
		})

		if s, err := b.Status(t.Context(), ref()); !errors.Is(err, payment.ErrUnknownOutcome) {
			t.Errorf("under %d: %+v, %v", status, s, err)
		}
	}
}

// TestAnswersAreReadToALimit: what is beyond it is not waited for.
func TestAnswersAreReadToALimit(t *testing.T) {
	b := newBench(t, fake.Options{})
	b.fake.Script(payment.OpStatus, fake.Endless())

	if _, err := b.Status(t.Context(), ref()); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("it ends in %v", err)
	}
}

// TestOddStatusesAreRead: what the module's own types fail on is no failure.
func TestOddStatusesAreRead(t *testing.T) {
	b := newBench(t, fake.Options{})
	b.pay(t, "credit_card")
	b.fake.Script(payment.OpStatus, fake.Rewritten(func(body map[string]any) {
		body["installment_term"], body["gross_amount"] = "3", 10000
	}))

	s := b.must(t)
	if s.Transaction != payment.StatusCapture || len(s.Malformed) != 1 || payment.Judge(payment.Order{ID: order1, Amount: 10_000}, s).Decision != payment.Quarantine {
		t.Errorf("read %+v", s)
	}
}

// TestWrongKey: one 401 and no more calls for a minute; it is shown until the key is accepted.
func TestWrongKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := 401
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"error_messages":["Access denied, key ` + secret + `"]}`))}, nil
		})

		g, err := New(Config{Key: key(t, secret), Transport: transport}, nil)
		if err != nil {
			t.Fatal(err)
		}

		_, err = g.Status(t.Context(), ref())
		if !errors.Is(err, payment.ErrMisconfigured) || !g.Misconfigured() || testutil.ToFloat64(g.metrics.refused) != 1 || strings.Contains(err.Error(), secret) {
			t.Errorf("with a wrong key: %v", err)
		}

		status = 404
		if _, err = g.CreateCheckout(t.Context(), checkout()); !errors.Is(err, payment.ErrMisconfigured) {
			t.Errorf("a new page with a wrong key: %v", err)
		}

		time.Sleep(refusedPause)

		if _, err = g.Status(t.Context(), ref()); !errors.Is(err, payment.ErrNotFound) || g.Misconfigured() {
			t.Errorf("the key was put right: %v", err)
		}
	})
}

// TestPatienceIsHeard: how long to wait, if it is said in seconds, and not for ever.
func TestPatienceIsHeard(t *testing.T) {
	for said, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "Wed, 21 Oct 2026 07:28:00 GMT": 0, "999999999": maxRetryAfter, "99999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {said}}); got != want {
			t.Errorf("%q is %s, want %s", said, got, want)
		}
	}

	b := newBench(t, fake.Options{})
	b.fake.Script(payment.OpStatus, fake.TooMany(120))

	var e *payment.Error
	if _, err := b.Status(t.Context(), ref()); !errors.As(err, &e) || e.RetryAfter != 2*time.Minute {
		t.Errorf("%v says to wait %v", err, e)
	}

	if _, err := b.Status(t.Context(), ref()); !errors.As(err, &e) || !errors.Is(err, payment.ErrRateLimited) || e.RetryAfter < time.Minute || e.Code != "" {
		t.Errorf("held back: %v", err)
	}

	if n := len(b.fake.Calls()); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestCausesAreOurWords: what went wrong with a connection, without an address, a port or a name in it.
func TestCausesAreOurWords(t *testing.T) {
	const told = "192.0.2.7:443"

	for want, err := range map[string]error{
		"its name does not resolve":    &net.OpError{Op: "dial", Err: &net.DNSError{Name: told}},
		"it did not answer in time":    fmt.Errorf("%s: %w", told, context.DeadlineExceeded),
		"it refuses connections":       &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"no network route leads to it": &net.OpError{Op: "dial", Err: syscall.ENETUNREACH},
		"its certificate is not valid": fmt.Errorf("%s: %w", told, x509.UnknownAuthorityError{}),
		"it does not speak TLS":        fmt.Errorf("%s: %w", told, tls.RecordHeaderError{Msg: told}),
		"it closed the connection":     fmt.Errorf("%s: %w", told, io.ErrUnexpectedEOF),
		"the connection failed":        errors.New(told),
	} {
		if got := causeText(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
