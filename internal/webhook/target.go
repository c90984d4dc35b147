package webhook

import (
	"context"
	"encoding/json"
	"fmt"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/reconciler/alert"
)

// Platform is the endpoint that the operator has set: it gets what is told about money, of all tenants.
type Platform struct {
	endpoint Endpoint
	// contacts are whom a tenant wants to have written to.
	contacts func(ctx context.Context, tenant string) []Contact
}

// NewPlatform makes the endpoint of --notice-webhook-url. The secrets sign what is sent; without any, nothing is signed.
func NewPlatform(c *Client, address string, secrets [][]byte) (*Platform, error) {
	if err := checkURL(address, true); err != nil {
		return nil, fmt.Errorf("--notice-webhook-url: %w", err)
	}

	return &Platform{endpoint: Endpoint{client: c, url: address, secrets: secrets, dogker: true}}, nil
}

// With is the same endpoint, which is also told whom to write to.
func (p *Platform) With(contacts func(ctx context.Context, tenant string) []Contact) *Platform {
	return &Platform{endpoint: p.endpoint, contacts: contacts}
}

var _ outbox.Target = (*Platform)(nil)

// Key implements outbox.Target.
func (*Platform) Key() string { return "platform" }

// Lane implements outbox.Target.
func (*Platform) Lane() string { return "platform" }

// Send implements outbox.Target. The ID is the one that the notice has in the ledger.
func (p *Platform) Send(ctx context.Context, n alert.Notification) error {
	m := messageOf(n)
	if id := n.Incidents[0].Labels[notice.LabelNotice]; id != "" {
		m.ID = n.Tenant + "/" + id
	}
	if p.contacts != nil {
		m.Contacts = p.contacts(ctx, n.Tenant)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return outbox.Failed(outbox.ErrFinal, "It cannot be encoded.", err)
	}

	return p.endpoint.post(ctx, m.ID, body)
}

// Receiver is the webhook of a tenant's Receiver.
type Receiver struct {
	endpoint Endpoint
	ref      alert.ReceiverRef
	format   monitoringv1.WebhookFormat
}

// ReceiverOptions say where a Receiver leads. Ref and URL are required.
type ReceiverOptions struct {
	Ref alert.ReceiverRef
	URL string
	// Secrets sign what is sent; nothing is signed without.
	Secrets [][]byte
	Format  monitoringv1.WebhookFormat
	// Plain allows http.
	Plain bool
}

// NewReceiver makes the target of a Receiver.
func NewReceiver(c *Client, o ReceiverOptions) (*Receiver, error) {
	if err := checkURL(o.URL, o.Plain); err != nil {
		return nil, fmt.Errorf("the URL %w", err)
	}

	return &Receiver{endpoint: Endpoint{client: c, url: o.URL, secrets: o.Secrets}, ref: o.Ref, format: o.Format}, nil
}

var _ outbox.Target = (*Receiver)(nil)

// Key implements outbox.Target.
func (*Receiver) Key() string { return "webhook" }

// Lane implements outbox.Target.
func (r *Receiver) Lane() string { return "receiver " + r.ref.Namespace + "/" + r.ref.Name }

// Send implements outbox.Target.
func (r *Receiver) Send(ctx context.Context, n alert.Notification) error {
	body, err := format(n, r.format)
	if err != nil {
		return outbox.Failed(outbox.ErrFinal, "It cannot be encoded.", err)
	}

	return r.endpoint.post(ctx, n.ID, body)
}
