package midtrans

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/midtrans/midtrans-go/snap"

	"github.com/dogker/dogker/reconciler/payment"
)

// Limits that Midtrans documents.
const (
	minLifetime    = 5 * time.Minute
	maxLifetime    = 7 * 24 * time.Hour
	maxDescription = 50
	maxReason      = 255
	maxRefundKey   = 64
	maxPageURL     = 2048
)

// checkoutBody is the request for a page. It is a map because the module's own type lacks page_expiry. Nothing personal
// is in it: who the payer is, the payer tells Midtrans.
func checkoutBody(r payment.CheckoutRequest) (snap.RequestParamWithMap, error) {
	if err := checkCheckout(r); err != nil {
		return nil, err
	}

	minutes := int64(r.Lifetime / time.Minute)
	body := snap.RequestParamWithMap{
		"transaction_details": map[string]any{"order_id": r.OrderID, "gross_amount": int64(r.Amount)},
		"item_details": []any{map[string]any{
			"id": "topup", "name": shortened(r.Description, maxDescription), "price": int64(r.Amount), "quantity": 1,
		}},
		// One-time passwords for cards, so that a stolen card is its bank's loss.
		"credit_card": map[string]any{"secure": true},
		// The page and what is begun on it have expiries of their own. Without a start the latter would begin when the
		// payer chooses a method, and an order would have no known end.
		"page_expiry": map[string]any{"unit": "minutes", "duration": minutes},
		"expiry":      map[string]any{"unit": "minutes", "duration": minutes, "start_time": payment.FormatStart(r.Opened)},
	}

	if len(r.Methods) > 0 {
		body["enabled_payments"] = r.Methods
	}

	if r.ReturnURL != "" {
		body["callbacks"] = map[string]any{"finish": r.ReturnURL}
	}

	return body, nil
}

func checkCheckout(r payment.CheckoutRequest) error {
	var errs []error

	if err := payment.CheckOrderID(r.OrderID); err != nil {
		errs = append(errs, err)
	}

	if r.Amount < 1 || r.Amount > payment.MaxAmount {
		errs = append(errs, fmt.Errorf("amount: %d must be 1 to %d", r.Amount, payment.MaxAmount))
	}

	if r.Lifetime < minLifetime || r.Lifetime > maxLifetime {
		errs = append(errs, fmt.Errorf("lifetime: %v must be %v to %v", r.Lifetime, minLifetime, maxLifetime))
	}

	if r.Opened.IsZero() {
		errs = append(errs, errors.New("opened: must be set"))
	}

	for i, m := range r.Methods {
		if !m.Valid() {
			errs = append(errs, fmt.Errorf("methods[%d]: %q must be one of %v", i, m, payment.Methods))
		}
	}

	return errors.Join(errs...)
}

func checkRefund(r payment.RefundRequest) error {
	var errs []error

	if err := r.Check(); err != nil {
		errs = append(errs, err)
	}

	if r.Key == "" || len(r.Key) > maxRefundKey {
		errs = append(errs, fmt.Errorf("key: must have 1 to %d characters", maxRefundKey))
	}

	if r.Amount < 1 || r.Amount > payment.MaxAmount {
		errs = append(errs, fmt.Errorf("amount: %d must be 1 to %d", r.Amount, payment.MaxAmount))
	}

	if len(r.Reason) > maxReason {
		errs = append(errs, fmt.Errorf("reason: must have at most %d bytes", maxReason))
	}

	if r.Route != payment.RouteDirect && r.Route != payment.RouteOnline {
		errs = append(errs, fmt.Errorf("route: %q must be %s or %s", r.Route, payment.RouteDirect, payment.RouteOnline))
	}

	return errors.Join(errs...)
}

// shortened cuts text at a character, not within one.
func shortened(text string, most int) string {
	if text == "" {
		return "Top-up"
	}

	runes := []rune(text)

	return string(runes[:min(len(runes), most)])
}

// checkPage says why people are not sent to a page: it must be where pages were asked for. Tenants click on what is
// returned here.
func checkPage(text string, pages *url.URL) string {
	u, err := url.Parse(text)

	switch {
	case err != nil || len(text) > maxPageURL:
		return "its page has no usable URL"
	case u.Scheme != pages.Scheme || u.Host != pages.Host || u.User != nil:
		return "its page is on another host"
	default:
		return ""
	}
}
