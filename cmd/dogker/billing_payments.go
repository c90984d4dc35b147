package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/controllers/coupon"
	"github.com/dogker/dogker/controllers/refund"
	"github.com/dogker/dogker/controllers/topup"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/internal/midtrans/webhook"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/payment"
)

// payments adds what takes money and gives it back, and what is given away.
func (t *till) payments() error {
	cached, tag := t.m.GetClient(), t.server.ClusterTag()
	refunds, err := refund.New(cached, t.desk, t.leader, t.parts.gateway, refund.Options{Cluster: tag})
	if err != nil {
		return err
	}
	if err := refund.Setup(t.m, engineOf(t, refunds, refund.Name, billingv1.FinalizerRefund)); err != nil {
		return fmt.Errorf("set up controller of refunds: %w", err)
	}
	coupons := coupon.New(cached, t.leader, nil)
	if err := coupon.Setup(t.m, engineOf(t, coupons, coupon.Name, "")); err != nil {
		return fmt.Errorf("set up controller of coupons: %w", err)
	}

	return t.topUps()
}

// topUps adds what takes payments.
func (t *till) topUps() error {
	kind, err := topup.New(t.m.GetClient(), t.desk, t.leader, t.parts.gateway, topup.Options{
		Cluster: t.server.ClusterTag(), MerchantID: t.parts.merchantID, Recorder: t.recorder, Registerer: ctrlmetrics.Registry,
	})
	if err != nil {
		return err
	}
	hints := make(chan event.TypedGenericEvent[string], hintQueue)
	if err := topup.Setup(t.m, engineOf(t, kind, topup.Name, billingv1.FinalizerTopUp), kind, hints); err != nil {
		return fmt.Errorf("set up controller of top-ups: %w", err)
	}
	if err := ctrlmetrics.Registry.Register(topup.NewMetrics(t.m.GetClient())); err != nil {
		return fmt.Errorf("register metrics of top-ups: %w", err)
	}

	return t.notifications(kind, func(order string) {
		select {
		case hints <- event.TypedGenericEvent[string]{Object: order}:
		default: // Nobody takes them here, or too many came: the gateway is asked from time to time in any case.
		}
	})
}

// notifications adds what tells the server that leads of Midtrans' notifications, whichever server has received them, and
// what receives them here, if they are to be.
func (t *till) notifications(orders *topup.Controller, hint func(order string)) error {
	if t.parts.gateway == nil {
		return nil
	}
	box := ledger.NewInbox(t.server.Etcd(), time.Now)
	follow := func(ctx context.Context) error {
		box.Follow(ctx, hint)
		return nil
	}
	if err := t.m.Add(leading(follow)); err != nil {
		return fmt.Errorf("add watch over notifications: %w", err)
	}
	if t.parts.listener == nil {
		return nil
	}

	return t.receive(inbox{Inbox: box, orders: orders}, hint)
}

// receive adds the server of notifications, which listens whoever leads.
func (t *till) receive(box inbox, hint func(order string)) error {
	h, err := webhook.New(webhook.Options{
		Keys: t.parts.keys, Inbox: box, Hint: hint, TrustedProxies: t.parts.proxies, Log: t.log,
	}, ctrlmetrics.Registry)
	if err != nil {
		return err
	}
	server := webhook.NewServer(h, t.log)
	serve := func(ctx context.Context) error {
		t.log.InfoContext(ctx, "Receiving Midtrans' notifications", logkey.URL, t.parts.listener.Addr().String()+webhook.Path)
		return webhook.Serve(ctx, server, t.parts.listener)
	}
	if err := t.m.Add(everywhere(serve)); err != nil {
		return fmt.Errorf("add server of notifications: %w", err)
	}

	return nil
}

// leading is a Runnable for the leader only.
type leading func(context.Context) error

// Start implements manager.Runnable.
func (f leading) Start(ctx context.Context) error { return f(ctx) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (leading) NeedLeaderElection() bool { return true }

// inbox keeps notifications of orders that there are.
type inbox struct {
	*ledger.Inbox
	orders interface {
		Exists(ctx context.Context, orderID string) (bool, error)
	}
}

var _ webhook.Inbox = inbox{}

// Put implements webhook.Inbox.
func (b inbox) Put(ctx context.Context, n payment.Notification) error {
	exists, err := b.orders.Exists(ctx, n.OrderID)
	if err != nil {
		return err
	}
	if !exists {
		return webhook.ErrUnknownOrder
	}

	return b.Keep(ctx, n)
}
