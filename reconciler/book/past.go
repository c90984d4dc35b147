package book

import (
	"fmt"

	"github.com/dogker/dogker/reconciler/money"
)

// GatewayRefund takes back what went back to the payer past us, such as by somebody in the gateway's dashboard: nothing was
// held for it. It is posted as other refunds are. The balance may go below any floor: the money is gone.
type GatewayRefund struct {
	Order string
	// Refund is the key by which the gateway lists it. Keys of the gateway's own are unlike each other within an order only.
	Refund string
	Amount money.Micro
	// TakeBack is the lot that came with the payment. Empty for none.
	TakeBack string
	Reason   string
}

// Key implements Op.
func (r GatewayRefund) Key() string { return "refund:" + r.Order + ":" + r.Refund + ":post" }

func (r GatewayRefund) orderIn(Head) string { return r.Order }

func (r GatewayRefund) validate() error {
	return first(
		checkKey("order", r.Order), checkKey("refund", r.Refund), checkKey("key", r.Key()), checkAmount("amount", r.Amount),
		checkText("reason", r.Reason, maxReasonBytes, false),
	)
}

func (r GatewayRefund) apply(d *draft) error {
	if _, known := d.State.Order.Refunds[r.Refund]; known {
		return fmt.Errorf("post refund %q of order %q: it is held or posted: %w", r.Refund, r.Order, ErrExists)
	}

	return d.giveBack(Entry{
		Type: TypeRefundPost, Key: r.Key(), Order: r.Order, Hold: r.Refund, Reason: r.Reason,
		Postings: []Posting{{AccountPaid, -r.Amount}, {AccountGateway, r.Amount}},
	}, r.TakeBack)
}
