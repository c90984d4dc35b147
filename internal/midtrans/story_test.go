package midtrans

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/payment"
)

// memory reaches a handler without a network.
type memory struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)

	return w.Result(), nil
}

// till does what a controller and the ledger do with one order: a hint makes it ask, and what is judged is booked once.
// It is the smallest reconciler there can be; whatever it gets right, the pieces below it make easy to get right.
type till struct {
	t       *testing.T
	gateway *Gateway
	order   payment.Order
	net     payment.IDR
	entries map[string]payment.IDR
	last    payment.Decision
	hints   int
}

// Put implements webhook.Inbox.
func (l *till) Put(_ context.Context, n payment.Notification) error {
	if n.OrderID != l.order.ID {
		return webhook.ErrUnknownOrder
	}

	return nil
}

func (l *till) hint(string) {
	l.hints++
	l.look(payment.Reference{OrderID: l.order.ID})

	if l.order.Credited != "" {
		l.look(payment.Reference{OrderID: l.order.ID, TransactionID: l.order.Credited})
	}
}

func (l *till) look(r payment.Reference) {
	s, err := l.gateway.Status(l.t.Context(), r)
	if err != nil {
		l.t.Fatal(err)
	}

	j := payment.Judge(l.order, s)
	l.last = j.Decision

	switch j.Decision {
	case payment.Credit:
		l.order.Credited = s.TransactionID
		l.book("topup:"+s.OrderID, j.Amount)
	case payment.Reverse:
		l.order.Reversed = true
		l.book("reversal:"+s.OrderID+":"+s.TransactionID, -j.Amount)
	case payment.RefundDebit:
		for _, d := range j.Refunds {
			l.order.Refunds[d.Key] += d.Amount
			l.book("refund:"+d.Key, -d.Amount)
		}
	case payment.ChargebackDebit:
		l.order.ChargedBack += j.Amount
		l.book(fmt.Sprintf("cb:%s:%d", s.OrderID, l.order.ChargedBack), -j.Amount)
	case payment.Suspense:
		l.entries["suspense:"+s.OrderID+":"+s.TransactionID] = 0
	}
}

func (l *till) book(key string, amount payment.IDR) {
	if _, booked := l.entries[key]; booked {
		l.t.Errorf("%s is booked twice", key)
	}

	l.entries[key] = amount
	l.net += amount

	if l.net < 0 || l.net > l.order.Amount {
		l.t.Errorf("after %s the order has %d of %d", key, l.net, l.order.Amount)
	}
}

// endings are what becomes of an order after it was paid, and what is left of it then.
var endings = map[string]struct {
	after func(*fake.Server) error
	net   payment.IDR
}{
	"Kept":        {func(*fake.Server) error { return nil }, 10_000},
	"Reversed":    {func(s *fake.Server) error { return s.Reverse(order1) }, 0},
	"RefundPart":  {func(s *fake.Server) error { return s.RefundAtDashboard(order1, 4000) }, 6000},
	"RefundAll":   {func(s *fake.Server) error { return s.RefundAtDashboard(order1, 10_071) }, 0},
	"ChargedBack": {func(s *fake.Server) error { return s.Chargeback(order1, 10_000) }, 0},
	"PaidTwice": {func(s *fake.Server) error {
		_, err := s.PayAgain(order1, "bca_va")
		return err
	}, 10_000},
	"FailsLater": {func(s *fake.Server) error {
		if _, err := s.Choose(order1, "gopay"); err != nil {
			return err
		}

		return s.Deny(order1)
	}, 10_000},
}

// TestAnyOrderOfNotifications: notifications lost, doubled, late, in any order, and forged among them, lead to the same
// balance. Each round is one order; its seed is in the failure.
func TestAnyOrderOfNotifications(t *testing.T) {
	const rounds = 30

	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(rounds) {
				playRound(t, rand.New(rand.NewPCG(seed, 7)), ending.after, ending.net)

				if t.Failed() {
					t.Fatalf("with the seed %d", seed)
				}
			}
		})
	}
}

func playRound(t *testing.T, random *rand.Rand, after func(*fake.Server) error, want payment.IDR) {
	t.Helper()

	k := key(t, secret)
	l := &till{t: t, order: payment.Order{ID: order1, Amount: 10_000, MerchantID: "G000000000", Refunds: map[string]payment.IDR{}}, entries: map[string]payment.IDR{}}

	hook, err := webhook.New(webhook.Options{Keys: []payment.ServerKey{k}, Inbox: l, Hint: l.hint}, nil)
	if err != nil {
		t.Fatal(err)
	}

	s := fake.New(fake.Options{Key: k, Fee: 71, NotifyURL: "http://dogker.example.com" + webhook.Path, Client: &http.Client{Transport: memory{hook}}})
	defer s.Close()
	s.Hold()

	if l.gateway, err = New(Config{Key: k, Transport: memory{s}, BaseURL: "http://localhost", SnapURL: "http://localhost"}, nil); err != nil {
		t.Fatal(err)
	}

	if _, err := l.gateway.CreateCheckout(t.Context(), checkout()); err != nil {
		t.Fatal(err)
	}

	// A first attempt that fails, then one that is paid.
	if _, err := s.Choose(order1, "bca_va"); err != nil {
		t.Fatal(err)
	}

	if err := s.Deny(order1); err != nil {
		t.Fatal(err)
	}

	deliver(t, s, random, 3)

	if _, err := s.Pay(order1, "other_qris"); err != nil {
		t.Fatal(err)
	}

	deliver(t, s, random, 5)
	l.hint("")

	if err := after(s); err != nil {
		t.Fatal(err)
	}

	deliver(t, s, random, 8)
	// Whatever got lost, polling finds.
	l.hint("")

	if l.net != want {
		t.Errorf("%d is left, want %d: %v", l.net, want, l.entries)
	}
}

// deliver sends some of all notifications so far, in any order, some of them twice, and some forged.
func deliver(t *testing.T, s *fake.Server, random *rand.Rand, times int) {
	t.Helper()

	held := s.Held()

	for range random.IntN(times + 1) {
		n, want := held[random.IntN(len(held))], http.StatusOK

		switch random.IntN(6) {
		case 0:
			n, want = n.Edited(func(body map[string]any) { body["gross_amount"] = "99999999.00" }), http.StatusUnauthorized
		case 1:
			n, want = n.Edited(func(body map[string]any) { body["order_id"] = "dk-abcdef-00000000000000000000000000" }), http.StatusUnauthorized
		case 2:
			n = n.Edited(func(body map[string]any) { body["transaction_status"], body["fraud_status"] = "settlement", "accept" })
		}

		if got, err := s.Deliver(t.Context(), n); err != nil || got != want {
			t.Fatalf("answered %d, %v, want %d", got, err, want)
		}
	}
}
