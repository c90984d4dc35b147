package midtrans

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/midtrans/midtrans-go"
	"github.com/midtrans/midtrans-go/coreapi"
	"github.com/midtrans/midtrans-go/snap"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	// timeout of one call, from the wait for a free place to the last byte of the answer.
	timeout     = 20 * time.Second
	dialTimeout = 5 * time.Second
	// atOnce is how many calls may run at the same time.
	atOnce = 8
)

// Gateway implements payment.Gateway. It is safe for concurrent use.
type Gateway struct {
	key        payment.ServerKey
	core, snap *url.URL
	userAgent  string
	http       *http.Client
	log        *slog.Logger
	metrics    *metrics
	breaker    *breaker
	places     chan struct{}
}

var _ payment.Gateway = (*Gateway)(nil)

// New makes a Gateway. The metrics are registered with reg unless it is nil.
func New(cfg Config, reg prometheus.Registerer) (*Gateway, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("set up Midtrans: %w", err)
	}

	core, pages, err := cfg.endpoints()
	if err != nil {
		return nil, fmt.Errorf("set up Midtrans: %w", err)
	}

	transport := cfg.Transport
	if transport == nil {
		transport = newTransport()
	}

	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}

	m, err := newMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("set up Midtrans: %w", err)
	}

	return &Gateway{
		key:       cfg.Key,
		core:      core,
		snap:      pages,
		userAgent: "dogker/" + cfg.Version,
		http:      &http.Client{Transport: transport, CheckRedirect: stay},
		log:       log,
		metrics:   m,
		breaker:   &breaker{},
		places:    make(chan struct{}, atOnce),
	}, nil
}

// stay follows no redirect: the next host would get the key.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  timeout,
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        atOnce,
		MaxIdleConnsPerHost:    2,
		MaxIdleConns:           4,
		IdleConnTimeout:        30 * time.Second,
	}
}

// CreateCheckout opens a page on which the order can be paid. See payment.Gateway.
func (g *Gateway) CreateCheckout(ctx context.Context, r payment.CheckoutRequest) (payment.Checkout, error) {
	body, err := checkoutBody(r)
	if err != nil {
		return payment.Checkout{}, invalid(payment.OpCheckout, r.OrderID, err)
	}

	var checkout payment.Checkout

	x := g.exchange(ctx, payment.OpCheckout, payment.Reference{OrderID: r.OrderID}, "", r.Attempt)
	call := func() *sdk.Error {
		_, err := x.snapClient().CreateTransactionWithMap(&body)
		return err
	}

	err = x.run(call, func(a payment.Answer) (cause string) {
		if checkout, err = a.Checkout(); err != nil {
			return err.Error()
		}

		return checkPage(checkout.RedirectURL, g.snap)
	})
	if err != nil {
		return payment.Checkout{}, err
	}

	return checkout, nil
}

// Status reads what became of an order. See payment.Gateway.
func (g *Gateway) Status(ctx context.Context, r payment.Reference) (payment.Status, error) {
	if err := r.Check(); err != nil {
		return payment.Status{}, invalid(payment.OpStatus, r.OrderID, err)
	}

	var status payment.Status

	x := g.exchange(ctx, payment.OpStatus, r, "", 0)
	call := func() *sdk.Error {
		_, err := x.coreClient().CheckTransaction(x.subject())
		return err
	}

	err := x.run(call, func(a payment.Answer) (cause string) {
		var err error
		if status, err = a.Status(); err != nil {
			return err.Error()
		}

		return x.elsewhere(a)
	})
	if err != nil {
		return payment.Status{}, err
	}

	return status, nil
}

// Refund gives money back. See payment.Gateway.
func (g *Gateway) Refund(ctx context.Context, r payment.RefundRequest) (payment.RefundReceipt, error) {
	if err := checkRefund(r); err != nil {
		return payment.RefundReceipt{}, invalid(payment.OpRefund, r.OrderID, err)
	}

	var receipt payment.RefundReceipt

	x := g.exchange(ctx, payment.OpRefund, r.Reference, r.Key, r.Attempt)
	body := &coreapi.RefundReq{RefundKey: r.Key, Amount: int64(r.Amount), Reason: r.Reason}
	call := func() *sdk.Error {
		send := x.coreClient().RefundTransaction
		if r.Route == payment.RouteDirect {
			send = x.coreClient().DirectRefundTransaction
		}

		_, err := send(x.subject(), body)

		return err
	}

	err := x.run(call, func(a payment.Answer) (cause string) {
		var err error

		receipt, err = a.Receipt()

		switch {
		case err != nil:
			return err.Error()
		case a.Code() != payment.CodeSuccess:
			return "it does not say that the refund was made"
		case receipt.Key != r.Key || receipt.Amount != r.Amount:
			return "it is about another refund"
		default:
			return x.elsewhere(a)
		}
	})
	if err != nil {
		return payment.RefundReceipt{}, err
	}

	return receipt, nil
}

// Cancel voids a payment that is not settled. See payment.Gateway.
func (g *Gateway) Cancel(ctx context.Context, r payment.ChangeRequest) error {
	return g.change(ctx, payment.OpCancel, r, payment.StatusCancel, coreapi.Client.CancelTransaction)
}

// Expire ends the time in which a payment can be made. See payment.Gateway.
func (g *Gateway) Expire(ctx context.Context, r payment.ChangeRequest) error {
	return g.change(ctx, payment.OpExpire, r, payment.StatusExpire, coreapi.Client.ExpireTransaction)
}

// change makes a call that takes a payment to a status, and believes that it did when the answer says so.
func (g *Gateway) change(
	ctx context.Context, op payment.Operation, r payment.ChangeRequest, want payment.TransactionStatus,
	call func(coreapi.Client, string) (*coreapi.ChargeResponse, *sdk.Error),
) error {
	if err := r.Check(); err != nil {
		return invalid(op, r.OrderID, err)
	}

	x := g.exchange(ctx, op, r.Reference, r.TransactionID, r.Attempt)

	send := func() *sdk.Error {
		_, err := call(x.coreClient(), x.subject())
		return err
	}

	return x.run(send, func(a payment.Answer) (cause string) {
		if a.TransactionStatus() != want {
			return "it does not say that it was done"
		}

		return x.elsewhere(a)
	})
}

// snapClient and coreClient are the module's clients for this one call. They are written out instead of made by its New,
// which would bring the default logger.
func (x *exchange) snapClient() snap.Client {
	return snap.Client{ServerKey: x.g.key.Reveal(), Env: sdk.Production, HttpClient: x, Options: &sdk.ConfigOptions{}}
}

func (x *exchange) coreClient() coreapi.Client {
	return coreapi.Client{ServerKey: x.g.key.Reveal(), Env: sdk.Production, HttpClient: x, Options: &sdk.ConfigOptions{}}
}
