package refund

import (
	"context"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/payment"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// shop is a controller on a ledger and a gateway in memory, with one payment of 100000 that was credited. What needs a real
// ledger and all of a gateway is in test/billing.
type shop struct {
	*testing.T

	books  *books
	api    client.Client
	refund *billingv1.Refund
	// order of the payment.
	order string
	// status is what the gateway says of the payment, answer what it says to a refund.
	status payment.Status
	answer error
	// sent counts what it was asked to give back.
	sent int

	controller *Controller
}

func newShop(t *testing.T, edits ...func(*shop)) *shop {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := billingv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	s := &shop{T: t, books: &books{state: book.State{Head: book.NewHead("acme")}, orders: map[string]book.Order{}, done: map[string]string{}}}
	s.api = fake.NewClientBuilder().WithScheme(scheme).WithObjects(topUp("uid-1")).Build()
	s.refund = &billingv1.Refund{
		ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "r", UID: "refund-1"},
		Spec:       billingv1.RefundSpec{TopUpName: "one", Amount: "40000", Method: billingv1.RefundByGateway},
	}
	s.status = payment.Status{Transaction: payment.StatusSettlement, Type: "qris"}

	var err error
	if s.controller, err = New(s.api, s, s.books, s, Options{Cluster: "abcdef", Now: func() time.Time { return now }}); err != nil {
		t.Fatal(err)
	}
	if s.order, err = payment.OrderIDOf("abcdef", "uid-1", now); err != nil {
		t.Fatal(err)
	}

	s.must(book.TopUp{Order: s.order, Transaction: "tx-1", Amount: 100_000 * money.Rupiah})

	for _, edit := range edits {
		edit(s)
	}

	return s
}

func topUp(uid types.UID) *billingv1.TopUp {
	return &billingv1.TopUp{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "one", UID: uid, CreationTimestamp: metav1.NewTime(now)}}
}

// must writes to the ledger as somebody else does.
func (s *shop) must(ops ...book.Op) {
	s.Helper()

	for _, op := range ops {
		if _, err := s.books.Do(s.Context(), book.Request{Tenant: "acme", Op: op}); err != nil {
			s.Fatalf("%#v: %v", op, err)
		}
	}
}

// hold sets an amount aside for the Refund, as an earlier pass.
func (s *shop) hold(rupiah int64) {
	s.must(book.RefundHold{Refund: "refund-1", Order: s.order, Amount: money.Micro(rupiah) * money.Rupiah})
}

func (s *shop) pass() (outcome.Result, error) {
	s.Helper()

	return s.controller.Reconcile(s.Context(), s.refund)
}

// Terms implements Desk: nothing is billed, and money moves all the same.
func (s *shop) Terms(context.Context, string) (billing.Terms, error) {
	return billing.Terms{}, billing.ErrNotBilled
}

// Status implements payment.Gateway.
func (s *shop) Status(_ context.Context, r payment.Reference) (payment.Status, error) {
	out := s.status
	out.OrderID, out.TransactionID = r.OrderID, r.TransactionID

	return out, nil
}

// Refund implements payment.Gateway.
func (s *shop) Refund(context.Context, payment.RefundRequest) (payment.RefundReceipt, error) {
	s.sent++

	return payment.RefundReceipt{}, s.answer
}

// CreateCheckout implements payment.Gateway; a refund opens no page.
func (s *shop) CreateCheckout(context.Context, payment.CheckoutRequest) (payment.Checkout, error) {
	return payment.Checkout{}, payment.ErrInvalidRequest
}

// Cancel implements payment.Gateway.
func (s *shop) Cancel(context.Context, payment.ChangeRequest) error {
	s.sent++

	return s.answer
}

// Expire implements payment.Gateway; a refund expires nothing.
func (s *shop) Expire(context.Context, payment.ChangeRequest) error { return payment.ErrInvalidRequest }

// books is the ledger of one tenant in memory.
type books struct {
	state  book.State
	orders map[string]book.Order
	done   map[string]string
	// before runs once, before the next operation is done.
	before func()
}

// Do implements Ledger.
func (b *books) Do(_ context.Context, req book.Request) (book.Result, error) {
	if before := b.before; before != nil {
		b.before = nil
		before()
	}

	key := req.Op.Key()
	if hash, again := b.done[key]; again {
		if hash != book.RequestHash(req.Op) {
			return book.Result{}, book.ErrConflict
		}

		return book.Result{Head: b.state.Head.Clone(), Replayed: true}, nil
	}

	state := b.state
	state.Order = b.orders[book.OrderOf(req.Op, b.state.Head)]

	out, err := book.Apply(state, req.Op, req.Decide, now)
	if err != nil {
		return book.Result{}, err
	}

	b.state, b.done[key] = out.State, book.RequestHash(req.Op)
	if o := out.State.Order; o.ID != "" {
		b.orders[o.ID] = o
	}

	return book.Result{Head: out.State.Head.Clone(), Entries: out.Entries}, nil
}

// Head implements Ledger.
func (b *books) Head(context.Context, string) (book.Head, error) { return b.state.Head.Clone(), nil }

// Order implements Ledger.
func (b *books) Order(_ context.Context, _, id string) (book.Order, error) {
	o, known := b.orders[id]
	if !known {
		return book.Order{}, book.ErrNotFound
	}

	return o.Clone(), nil
}
