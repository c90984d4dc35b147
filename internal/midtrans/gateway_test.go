package midtrans

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestOrderFromPageToCredit walks one order: a page, nobody has chosen, chosen, paid, asked for again.
func TestOrderFromPageToCredit(t *testing.T) {
	for name, o := range map[string]fake.Options{
		"CodesOfHTTP": {MerchantID: "G1"}, "HTTPAlwaysOK": {MerchantID: "G1", AlwaysOK: true}, "WithFee": {MerchantID: "G1", Fee: 71},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, o)
			order := payment.Order{ID: order1, Amount: 10_000, MerchantID: "G1"}

			page := b.open(t)
			if page.Token == "" || !strings.HasPrefix(page.RedirectURL, b.snap.String()+"/") {
				t.Errorf("the page is %+v", page)
			}

			if _, err := b.Status(t.Context(), ref()); !errors.Is(err, payment.ErrNotFound) {
				t.Errorf("before a method is chosen: %v", err)
			}

			tx, err := b.fake.Choose(order1, "other_qris")
			if err != nil {
				t.Fatal(err)
			}

			s := b.must(t)
			if j := payment.Judge(order, s); j.Decision != payment.Await || s.Expires.IsZero() || s.Created.IsZero() {
				t.Errorf("chosen: %+v of %+v", j, s)
			}

			if _, err := b.CreateCheckout(t.Context(), payment.CheckoutRequest{OrderID: order1, Amount: 10_000, Lifetime: time.Hour, Opened: time.Now(), Attempt: 1}); !errors.Is(err, payment.ErrDuplicateOrder) {
				t.Errorf("a second page after a method is chosen: %v", err)
			}

			if err := b.fake.Settle(order1); err != nil {
				t.Fatal(err)
			}

			j := payment.Judge(order, b.must(t))
			if j.Decision != payment.Credit || j.Amount != 10_000 || j.Fee != o.Fee {
				t.Errorf("paid: %+v", j)
			}

			order.Credited = tx

			s, err = b.Status(t.Context(), payment.Reference{OrderID: order1, TransactionID: tx})
			if err != nil || payment.Judge(order, s).Decision != payment.Ignore {
				t.Errorf("asked for again: %+v, %v", s, err)
			}
		})
	}
}

// TestSamePageAgain: a crash before the answer was stored costs nothing. The page is asked for again, with the same order
// ID, and the earlier one dies, or is the same if the key was the same.
func TestSamePageAgain(t *testing.T) {
	b := newBench(t, fake.Options{})
	first, second := b.open(t), b.open(t)

	if first != second {
		t.Errorf("the same attempt made %+v and %+v", first, second)
	}

	again := checkout()
	again.Attempt = 1

	third, err := b.CreateCheckout(t.Context(), again)
	if err != nil || third.Token == first.Token {
		t.Fatalf("another attempt made %+v, %v", third, err)
	}

	answer, err := http.Get(first.RedirectURL)
	if err != nil {
		t.Fatal(err)
	}

	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Errorf("the first page still is there: %s", answer.Status)
	}

	b = newBench(t, fake.Options{SnapIgnoresIdempotency: true})
	if first, second := b.open(t), b.open(t); first == second {
		t.Error("the fake was told to ignore keys")
	}
}

func TestRefund(t *testing.T) {
	b := newBench(t, fake.Options{})
	tx := b.pay(t, "other_qris")
	request := payment.RefundRequest{Reference: payment.Reference{OrderID: order1, TransactionID: tx}, Key: "uid-1", Amount: 3000, Reason: "asked for", Route: payment.RouteDirect}

	for attempt := range 3 {
		request.Attempt = attempt

		got, err := b.Refund(t.Context(), request)
		if err != nil || got.Key != "uid-1" || got.Amount != 3000 || got.Status != payment.StatusPartialRefund {
			t.Fatalf("attempt %d: %+v, %v", attempt, got, err)
		}
	}

	s := b.must(t)
	if r, ok := s.Refund("uid-1"); !ok || r.Amount != "3000.00" || len(s.Refunds) != 1 || s.RefundTotal != "3000.00" {
		t.Errorf("sent three times it is listed as %+v", s.Refunds)
	}

	request.Key, request.Amount = "uid-2", 7001
	if _, err := b.Refund(t.Context(), request); !errors.Is(err, payment.ErrRefused) || !payment.NothingHappened(err) {
		t.Errorf("more than is left: %v", err)
	}

	request.Amount = 7000
	request.Attempt++

	if got, err := b.Refund(t.Context(), request); err != nil || got.Status != payment.StatusRefund {
		t.Errorf("the rest: %+v, %v", got, err)
	}

	b = newBench(t, fake.Options{})
	b.pay(t, "bca_va")

	request.TransactionID = ""
	if _, err := b.Refund(t.Context(), request); !errors.Is(err, payment.ErrNotModifiable) {
		t.Errorf("of a bank transfer: %v", err)
	}

	b = newBench(t, fake.Options{})
	b.pay(t, "ovo")

	request.Route = payment.RouteOnline
	if _, err := b.Refund(t.Context(), request); err != nil {
		t.Errorf("by the slow way: %v", err)
	}
}

func TestCancelAndExpire(t *testing.T) {
	type call func(*bench) error

	cancel := func(b *bench) error { return b.Cancel(t.Context(), payment.ChangeRequest{Reference: ref()}) }
	expire := func(b *bench) error { return b.Expire(t.Context(), payment.ChangeRequest{Reference: ref()}) }

	cases := map[string]struct {
		reason string
		before func(*bench) error
		call   call
		class  error
		after  payment.TransactionStatus
	}{
		"CancelUnchosen": {"There is no payment yet.", nil, cancel, payment.ErrNotFound, ""},
		"ExpireUnchosen": {"There is no payment yet.", nil, expire, payment.ErrNotFound, ""},
		"CancelPending":  {"Nothing was paid.", func(*bench) error { return nil }, cancel, nil, payment.StatusCancel},
		"ExpirePending":  {"The code 407 is no failure.", func(*bench) error { return nil }, expire, nil, payment.StatusExpire},
		"CancelCaptured": {"Before it settles it can be voided.", func(b *bench) error { return b.fake.Capture(order1) }, cancel, nil, payment.StatusCancel},
		"CancelSettled":  {"It is too late; a refund is the way.", func(b *bench) error { return b.fake.Settle(order1) }, cancel, payment.ErrNotModifiable, payment.StatusSettlement},
		"ExpireSettled":  {"Paid.", func(b *bench) error { return b.fake.Settle(order1) }, expire, payment.ErrNotModifiable, payment.StatusSettlement},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, fake.Options{})
			b.open(t)

			if tc.before != nil {
				if _, err := b.fake.Choose(order1, "credit_card"); err != nil {
					t.Fatal(err)
				}

				if err := tc.before(b); err != nil {
					t.Fatal(err)
				}
			}

			err := tc.call(b)
			b.log.saw(err)

			if payment.ClassOf(err) != tc.class || (err == nil) != (tc.class == nil) {
				t.Errorf("%s\n%v, want %v", tc.reason, err, tc.class)
			}

			if tc.after != "" && b.must(t).Transaction != tc.after {
				t.Errorf("%s\nafterwards it is %s, want %s", tc.reason, b.must(t).Transaction, tc.after)
			}

			// Asked for again with the same key the first answer is replayed; with another it is too late.
			if tc.class == nil {
				if err := tc.call(b); err != nil {
					t.Errorf("again: %v", err)
				}
			}
		})
	}
}

// TestInvalidRequestsAreNotSent: what cannot be right reaches nobody, above all no path.
func TestInvalidRequestsAreNotSent(t *testing.T) {
	b := newBench(t, fake.Options{})

	for _, id := range []string{"", "a/../b?x=1", "..", "ä", strings.Repeat("x", 51)} {
		bad := payment.Reference{OrderID: id}
		good := payment.RefundRequest{Reference: bad, Key: "k", Amount: 1, Route: payment.RouteDirect}
		request := checkout()
		request.OrderID = id

		_, e1 := b.CreateCheckout(t.Context(), request)
		_, e2 := b.Status(t.Context(), bad)
		_, e3 := b.Refund(t.Context(), good)
		e4 := b.Cancel(t.Context(), payment.ChangeRequest{Reference: bad})
		e5 := b.Expire(t.Context(), payment.ChangeRequest{Reference: bad})
		_, e6 := b.Status(t.Context(), payment.Reference{OrderID: order1, TransactionID: "a/b"})

		for i, err := range []error{e1, e2, e3, e4, e5, e6} {
			if !errors.Is(err, payment.ErrInvalidRequest) {
				t.Errorf("call %d of %q: %v", i, id, err)
			}
		}
	}

	for name, edit := range map[string]func(*payment.CheckoutRequest){
		"NoAmount": func(r *payment.CheckoutRequest) { r.Amount = 0 }, "Negative": func(r *payment.CheckoutRequest) { r.Amount = -1 },
		"TooMuch": func(r *payment.CheckoutRequest) { r.Amount = payment.MaxAmount + 1 }, "Short": func(r *payment.CheckoutRequest) { r.Lifetime = time.Minute },
		"Long": func(r *payment.CheckoutRequest) { r.Lifetime = 8 * 24 * time.Hour }, "NoTime": func(r *payment.CheckoutRequest) { r.Opened = time.Time{} },
		"Method": func(r *payment.CheckoutRequest) { r.Methods = []payment.Method{"gold"} },
	} {
		request := checkout()
		edit(&request)

		if _, err := b.CreateCheckout(t.Context(), request); !errors.Is(err, payment.ErrInvalidRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}

	for name, edit := range map[string]func(*payment.RefundRequest){
		"NoKey": func(r *payment.RefundRequest) { r.Key = "" }, "LongKey": func(r *payment.RefundRequest) { r.Key = strings.Repeat("k", 65) },
		"NoAmount": func(r *payment.RefundRequest) { r.Amount = 0 }, "LongReason": func(r *payment.RefundRequest) { r.Reason = strings.Repeat("r", 256) },
		"Manual": func(r *payment.RefundRequest) { r.Route = payment.RouteManual },
	} {
		request := payment.RefundRequest{Reference: ref(), Key: "k", Amount: 1, Route: payment.RouteDirect}
		edit(&request)

		if _, err := b.Refund(t.Context(), request); !errors.Is(err, payment.ErrInvalidRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}

	if calls := b.fake.Calls(); len(calls) != 0 {
		t.Errorf("these were sent: %+v", calls)
	}
}

// TestAtTheSameTime: many calls of all kinds share nothing that the race detector would find, and never more than the
// bound are under way.
func TestAtTheSameTime(t *testing.T) {
	b := newBench(t, fake.Options{})
	b.pay(t, "other_qris")

	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			var err error

			switch i % 3 {
			case 0:
				_, err = b.Status(t.Context(), ref())
			case 1:
				_, err = b.Refund(t.Context(), payment.RefundRequest{Reference: ref(), Key: "same", Amount: 1, Route: payment.RouteDirect, Attempt: i})
			default:
				_, err = b.CreateCheckout(t.Context(), payment.CheckoutRequest{OrderID: fmt.Sprintf("o-%d", i), Amount: 1, Lifetime: time.Hour, Opened: time.Now()})
			}

			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	wg.Wait()

	if s := b.must(t); len(s.Refunds) != 1 {
		t.Errorf("one refund is listed as %+v", s.Refunds)
	}

	if len(b.places) != 0 {
		t.Errorf("%d places are lost", len(b.places))
	}
}

func TestMetricsOfCalls(t *testing.T) {
	b := newBench(t, fake.Options{})
	b.open(t)

	b.fake.Script(payment.OpStatus, fake.Code(599, ""), fake.Code(404, ""), fake.Null(), fake.Code(777, ""))

	for range 4 {
		_, err := b.Status(t.Context(), ref())
		b.log.saw(err)
	}

	want := `
# HELP dogker_midtrans_requests_total Calls to Midtrans, by operation, Midtrans' or HTTP's status code, and what was made of it; code none is no answer.
# TYPE dogker_midtrans_requests_total counter
dogker_midtrans_requests_total{code="200",op="status",outcome="unknown"} 1
dogker_midtrans_requests_total{code="201",op="checkout",outcome="ok"} 1
dogker_midtrans_requests_total{code="404",op="status",outcome="not_found"} 1
dogker_midtrans_requests_total{code="other",op="status",outcome="unknown"} 2
`
	if err := testutil.GatherAndCompare(b.reg, strings.NewReader(want), "dogker_midtrans_requests_total"); err != nil {
		t.Error(err)
	}
}

// TestWhatIsSent pins the request itself: where it goes, what it carries, and what it does not.
func TestWhatIsSent(t *testing.T) {
	var got *http.Request

	var body string

	recorder := roundTrip(func(r *http.Request) (*http.Response, error) {
		raw, err := io.ReadAll(r.Body)
		got, body = r, string(raw)

		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}, err
	})

	g, err := New(Config{Key: key(t, secret), Version: "1.2", Transport: recorder}, nil)
	if err != nil {
		t.Fatal(err)
	}

	request := checkout()
	request.Opened = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
	request.Methods = []payment.Method{"gopay"}
	request.ReturnURL = "https://cloud.example.com/done"

	if _, err := g.CreateCheckout(t.Context(), request); !errors.Is(err, payment.ErrUnknownOutcome) {
		t.Errorf("a failure of the server is %v", err)
	}

	user, password, _ := got.BasicAuth()
	if got.URL.String() != "https://app.midtrans.com/snap/v1/transactions" || user != secret || password != "" ||
		got.Header.Get("User-Agent") != "dogker/1.2" || len(got.Header.Get("Idempotency-Key")) != 32 || got.GetBody != nil {
		t.Errorf("%s %v", got.URL, got.Header)
	}

	want := `{"callbacks":{"finish":"https://cloud.example.com/done"},"credit_card":{"secure":true},"enabled_payments":["gopay"],` +
		`"expiry":{"duration":60,"start_time":"2026-11-22 09:00:00 +0700","unit":"minutes"},` +
		`"item_details":[{"id":"topup","name":"Top-up of tenant-a","price":10000,"quantity":1}],` +
		`"page_expiry":{"duration":60,"unit":"minutes"},` +
		`"transaction_details":{"gross_amount":10000,"order_id":"` + order1 + `"}}`
	if body != want {
		t.Errorf("sent  %s\nwant %s", body, want)
	}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
