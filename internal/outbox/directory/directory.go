package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/mail"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/webhook"
	"github.com/dogker/dogker/reconciler/alert"
)

// mailTo begins what stands in the place of the name of a Receiver that does not exist: the operator writes to one address. No
// Receiver has such a name.
const mailTo = "mailto:"

// Address is a Receiver of the platform that leads to one address and is declared nowhere.
func Address(platform, address string) alert.ReceiverRef {
	return alert.ReceiverRef{Namespace: platform, Name: mailTo + address}
}

// Purposes of contacts.
const (
	purposeBilling   = "billing"
	purposeTechnical = "technical"
)

// Options of a Directory. Reader and Hooks are required.
type Options struct {
	// Reader of Receivers, Tenants and Secrets. It must not block.
	Reader client.Reader
	// Hooks posts to URLs of Receivers, and Plain allows http there.
	Hooks *webhook.Client
	Plain bool
	// Mail sends to contacts; nobody gets mail when nil.
	Mail *mail.Sender
	// Platform is the endpoint of the operator; nil for none.
	Platform *webhook.Platform
	// Namespace of the platform, whose Receivers write to whom they like.
	Namespace string
	// Locale is the language of mail to contacts that nobody has chosen one for; en when empty.
	Locale string
}

// Directory implements outbox.Directory.
type Directory struct{ o Options }

var _ outbox.Directory = (*Directory)(nil)

// New makes a Directory.
func New(o Options) *Directory {
	if o.Platform != nil {
		o.Platform = o.Platform.With(func(ctx context.Context, tenant string) []webhook.Contact {
			contacts, err := contactsOf(ctx, o.Reader, tenant, purposeBilling)
			if err != nil {
				return nil // The endpoint is told what happened in any case.
			}
			out := make([]webhook.Contact, 0, len(contacts))
			for _, c := range contacts {
				out = append(out, webhook.Contact{Name: c.Name, Email: c.Email})
			}

			return out
		})
	}

	return &Directory{o}
}

// Receivers are those that are told what becomes of a tenant's money.
func (d *Directory) Receivers(ctx context.Context, tenant string) ([]alert.ReceiverRef, error) {
	var out []alert.ReceiverRef
	if d.o.Platform != nil {
		out = append(out, alert.ReceiverRef{})
	}
	var receivers monitoringv1.ReceiverList
	if err := d.o.Reader.List(ctx, &receivers, client.InNamespace(tenant)); err != nil {
		return nil, fmt.Errorf("list receivers of %q: %w", tenant, err)
	}
	names, _ := alert.Route(receivers.Items, alert.Question{Topic: alert.TopicBilling, Contacts: d.o.Mail != nil})
	for _, name := range names {
		out = append(out, alert.ReceiverRef{Namespace: tenant, Name: name})
	}

	return out, nil
}

// Targets implements outbox.Directory.
func (d *Directory) Targets(ctx context.Context, n alert.Notification) (outbox.Route, error) {
	switch {
	case n.Receiver == alert.ReceiverRef{}:
		if d.o.Platform == nil {
			return outbox.Route{}, nil
		}
		return outbox.Route{Targets: []outbox.Target{d.o.Platform}}, nil
	case n.Receiver.Namespace == d.o.Namespace && strings.HasPrefix(n.Receiver.Name, mailTo):
		to := v1alpha1.Contact{Email: strings.TrimPrefix(n.Receiver.Name, mailTo)}
		return outbox.Route{Targets: d.mail([]v1alpha1.Contact{to}, notice.Language{Locale: d.o.Locale})}, nil
	case n.Receiver.Name == "":
		contacts, err := contactsOf(ctx, d.o.Reader, n.Receiver.Namespace, purposeOf(n.Topic))
		route := outbox.Route{Targets: d.mail(contacts, notice.Language{Locale: d.o.Locale})}
		if n.Topic != alert.TopicBilling {
			route.PerHour = contactsPerHour
		}

		return route, err
	}

	var r monitoringv1.Receiver
	switch err := d.o.Reader.Get(ctx, client.ObjectKey{Namespace: n.Receiver.Namespace, Name: n.Receiver.Name}, &r); {
	case apierrors.IsNotFound(err):
		return outbox.Route{}, outbox.ErrGone
	case err != nil:
		return outbox.Route{}, fmt.Errorf("read receiver %q: %w", n.Receiver.Name, err)
	case r.Spec.Suspend:
		return outbox.Route{}, nil
	}
	route := outbox.Route{PerHour: int(r.Spec.RateLimit.PerHour)}
	var err error
	if r.Spec.Webhook != nil {
		route.Targets, err = d.hook(ctx, &r)
	} else if r.Spec.Email != nil {
		route.Targets, err = d.people(ctx, &r, n.Topic)
	}

	return route, err
}

func purposeOf(t alert.Topic) string {
	if t == alert.TopicBilling {
		return purposeBilling
	}

	return purposeTechnical
}

// contactsPerHour is how much contacts without a Receiver are told in an hour, but for what becomes of their money: a tenant's
// Alerts are not to make of the platform's mail server one that floods people.
const contactsPerHour = 60

// contactsOf are the contacts of a Tenant that are there for a purpose; none when there is no Tenant. What happens in a namespace
// is for a Tenant that has it: one may have been refused the namespace, which was there before.
func contactsOf(ctx context.Context, reader client.Reader, tenant, purpose string) ([]v1alpha1.Contact, error) {
	var owner v1alpha1.Tenant
	if err := reader.Get(ctx, client.ObjectKey{Name: tenant}, &owner); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if purpose != purposeBilling && owner.Status.Namespace != tenant {
		return nil, nil
	}

	return slices.DeleteFunc(slices.Clone(owner.Spec.Contacts), func(c v1alpha1.Contact) bool {
		return purpose != "" && len(c.Purposes) > 0 && !slices.Contains(c.Purposes, purpose)
	}), nil
}

// mail are the targets of mail to contacts.
func (d *Directory) mail(contacts []v1alpha1.Contact, l notice.Language) []outbox.Target {
	if d.o.Mail == nil {
		return nil
	}
	out := make([]outbox.Target, 0, len(contacts))
	for _, c := range contacts {
		out = append(out, d.o.Mail.To(mail.Recipient{Name: c.Name, Address: c.Email, Language: l}))
	}

	return out
}

// people are those that a Receiver writes to.
func (d *Directory) people(ctx context.Context, r *monitoringv1.Receiver, topic alert.Topic) ([]outbox.Target, error) {
	e := r.Spec.Email
	l := notice.Language{Locale: cmp.Or(string(e.Locale), d.o.Locale)}
	if zone, err := time.LoadLocation(e.TimeZone); err == nil && e.TimeZone != "" {
		l.Zone = zone
	}
	if r.Namespace == d.o.Namespace {
		contacts := make([]v1alpha1.Contact, 0, len(e.To))
		for _, address := range e.To {
			contacts = append(contacts, v1alpha1.Contact{Email: address})
		}
		return d.mail(contacts, l), nil
	}

	purpose := purposeOf(topic)
	if len(e.To) > 0 {
		purpose = ""
	}
	contacts, err := contactsOf(ctx, d.o.Reader, r.Namespace, purpose)
	if len(e.To) > 0 {
		contacts = slices.DeleteFunc(contacts, func(c v1alpha1.Contact) bool {
			return !slices.ContainsFunc(e.To, func(to string) bool { return strings.EqualFold(to, c.Email) })
		})
	}

	return d.mail(contacts, l), err
}

// hook is the URL that a Receiver posts to.
func (d *Directory) hook(ctx context.Context, r *monitoringv1.Receiver) ([]outbox.Target, error) {
	w := r.Spec.Webhook
	o := webhook.ReceiverOptions{
		Ref: alert.ReceiverRef{Namespace: r.Namespace, Name: r.Name}, URL: w.URL, Format: w.Format, Plain: d.o.Plain,
	}
	if w.URLSecretRef != nil {
		url, err := d.secret(ctx, r.Namespace, w.URLSecretRef, monitoringv1.KeyURL)
		if err != nil {
			return nil, err
		}
		o.URL = strings.TrimSpace(url)
	}
	if w.SigningSecretRef != nil {
		text, err := d.secret(ctx, r.Namespace, w.SigningSecretRef, monitoringv1.KeySecret)
		if err != nil {
			return nil, err
		}
		if o.Secrets, err = webhook.ParseSecrets(text); err != nil {
			return nil, fmt.Errorf("key %q of secret %q: %w", monitoringv1.KeySecret, w.SigningSecretRef.Name, err)
		}
	}
	target, err := webhook.NewReceiver(d.o.Hooks, o)
	if err != nil {
		return nil, err
	}

	return []outbox.Target{target}, nil
}

func (d *Directory) secret(ctx context.Context, namespace string, ref *monitoringv1.SecretReference, key string) (string, error) {
	var s corev1.Secret
	if err := d.o.Reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: string(ref.Name)}, &s); err != nil {
		return "", fmt.Errorf("read secret %q: %w", ref.Name, err)
	}
	value, found := s.Data[key]
	if !found {
		return "", fmt.Errorf("secret %q has no key %q", ref.Name, key)
	}

	return string(value), nil
}
