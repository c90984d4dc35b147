package receiver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/outcome"
)

// Name of the control loop, in logs and metrics.
const Name = "receiver"

// Deliveries are what became of what was sent.
type Deliveries interface {
	// State is how delivery to a Receiver stands. It does not block.
	State(r alert.ReceiverRef) alert.DeliveryState
}

// Options of a Controller.
type Options struct {
	// Platform is the namespace that belongs to no Tenant, whose Receivers write to any address.
	Platform string
	// Mail is whether the platform sends mail.
	Mail bool
}

// Controller keeps the status of Receivers. It keeps nothing in memory.
type Controller struct {
	cached     client.Reader
	deliveries Deliveries
	opts       Options
}

// New returns the controller. cached may be behind.
func New(cached client.Reader, d Deliveries, o Options) *Controller {
	return &Controller{cached: cached, deliveries: d, opts: o}
}

// problem is why a Receiver cannot be told, or not as it says.
type problem struct{ reason, message string }

// Reconcile says how a Receiver stands. Only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, r *monitoringv1.Receiver) (outcome.Result, error) {
	if !r.DeletionTimestamp.IsZero() {
		return outcome.Result{}, nil
	}

	c.deliver(r)

	if r.Spec.Suspend {
		conditions.MarkReady(r, monitoringv1.ReasonSuspended, "It rests, because spec.suspend is set: nothing is sent to it")

		return outcome.Result{}, nil
	}

	look := c.webhook
	if r.Spec.Email != nil {
		look = c.email
	}

	wrong, err := look(ctx, r)
	if err != nil {
		return outcome.Result{}, err
	}

	if wrong != nil {
		return outcome.Result{}, &outcome.Stall{Reason: wrong.reason, Message: wrong.message}
	}

	conditions.MarkReady(r, monitoringv1.ReasonAccepted, "It can be told")

	return outcome.Result{}, nil
}

// deliver shows how the last deliveries did.
func (c *Controller) deliver(r *monitoringv1.Receiver) {
	s := c.deliveries.State(alert.ReceiverRef{Namespace: r.Namespace, Name: r.Name})
	// A process that has just begun to lead may not know yet what was before.
	if !s.Delivered.IsZero() {
		r.Status.LastDeliveryTime = &metav1.Time{Time: s.Delivered.Truncate(time.Second)}
	}

	if !s.Failed.IsZero() {
		r.Status.LastFailureTime = &metav1.Time{Time: s.Failed.Truncate(time.Second)}
	}

	switch {
	case s.Failed.After(s.Delivered):
		conditions.Set(r, monitoringv1.ConditionDelivering, metav1.ConditionFalse, s.Reason, s.Message)
	case !s.Delivered.IsZero():
		conditions.Set(r, monitoringv1.ConditionDelivering, metav1.ConditionTrue, monitoringv1.ReasonDelivered, "What is sent to it arrives")
	}
}

// email looks whether there is anybody to write to.
func (c *Controller) email(ctx context.Context, r *monitoringv1.Receiver) (*problem, error) {
	if !c.opts.Mail {
		return &problem{monitoringv1.ReasonMailUnavailable, "The platform sends no mail"}, nil
	}

	to := r.Spec.Email.To

	if c.opts.Platform != "" && r.Namespace == c.opts.Platform {
		if len(to) == 0 {
			return &problem{monitoringv1.ReasonNoContacts, "spec.email.to: must name addresses in the platform's namespace, which has no contacts"}, nil
		}

		return nil, nil
	}

	var t v1alpha1.Tenant
	if err := c.cached.Get(ctx, client.ObjectKey{Name: r.Namespace}, &t, &client.GetOptions{UnsafeDisableDeepCopy: new(true)}); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read tenant %q: %w", r.Namespace, err)
	}

	var contacts []v1alpha1.Contact
	if t.Status.Namespace == r.Namespace { // It may have been refused the namespace, which was there before.
		contacts = t.Spec.Contacts
	}

	if len(to) == 0 {
		if len(contacts) == 0 {
			return &problem{monitoringv1.ReasonNoContacts, "The Tenant has no contacts"}, nil
		}

		return nil, nil
	}

	var strangers []string

	for _, address := range to {
		if !slices.ContainsFunc(contacts, func(c v1alpha1.Contact) bool { return strings.EqualFold(c.Email, address) }) {
			strangers = append(strangers, address)
		}
	}

	if len(strangers) > 0 {
		slices.Sort(strangers)

		return &problem{monitoringv1.ReasonNoContacts, "spec.email.to: not among the contacts of the Tenant, and not written to: " + strings.Join(strangers, ", ")}, nil
	}

	return nil, nil
}

// webhook looks whether the Secrets are there that it names.
func (c *Controller) webhook(ctx context.Context, r *monitoringv1.Receiver) (*problem, error) {
	for _, ref := range refsOf(r) {
		if ref.secret == nil {
			continue
		}

		var s corev1.Secret

		err := c.cached.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: string(ref.secret.Name)}, &s, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})

		switch {
		case apierrors.IsNotFound(err):
			return &problem{monitoringv1.ReasonSecretNotFound, fmt.Sprintf("%s: Secret %q does not exist", ref.field, ref.secret.Name)}, nil
		case err != nil:
			return nil, fmt.Errorf("read Secret %q: %w", ref.secret.Name, err)
		case len(s.Data[ref.key]) == 0:
			return &problem{monitoringv1.ReasonSecretNotFound, fmt.Sprintf("%s: Secret %q: data[%q] is missing or empty", ref.field, ref.secret.Name, ref.key)}, nil
		}
	}

	return nil, nil
}

// reference is a Secret that a Receiver names, if it does.
type reference struct {
	field  string
	secret *monitoringv1.SecretReference
	key    string
}

func refsOf(r *monitoringv1.Receiver) []reference {
	if r.Spec.Webhook == nil {
		return nil
	}

	return []reference{
		{"spec.webhook.urlSecretRef.name", r.Spec.Webhook.URLSecretRef, monitoringv1.KeyURL},
		{"spec.webhook.signingSecretRef.name", r.Spec.Webhook.SigningSecretRef, monitoringv1.KeySecret},
	}
}
