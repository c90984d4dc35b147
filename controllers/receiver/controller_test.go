package receiver

import (
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
	"github.com/dogker/dogker/reconciler/engine"
)

// deliveries are what became of what was sent.
type deliveries alert.DeliveryState

// State implements Deliveries.
func (d deliveries) State(alert.ReceiverRef) alert.DeliveryState { return alert.DeliveryState(d) }

var at = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func TestReady(t *testing.T) {
	mail := func(to ...string) monitoringv1.ReceiverSpec {
		return monitoringv1.ReceiverSpec{Email: &monitoringv1.EmailReceiver{To: to}}
	}
	hook := func(secret string) monitoringv1.ReceiverSpec {
		return monitoringv1.ReceiverSpec{Webhook: &monitoringv1.WebhookReceiver{URLSecretRef: &monitoringv1.SecretReference{Name: v1alpha1.ObjectName(secret)}}}
	}
	suspended := mail()
	suspended.Suspend = true

	cases := map[string]struct {
		reason    string
		namespace string
		spec      monitoringv1.ReceiverSpec
		noMail    bool
		sent      alert.DeliveryState
		want      string
		// delivering is the reason of that condition; empty when it is absent.
		delivering string
	}{
		"Contacts":         {reason: "The Tenant has one.", namespace: "acme", spec: mail(), want: monitoringv1.ReasonAccepted},
		"AContact":         {reason: "How it is written is no matter.", namespace: "acme", spec: mail("ADA@acme.example"), want: monitoringv1.ReasonAccepted},
		"AStranger":        {reason: "Nobody can have mail sent to strangers.", namespace: "acme", spec: mail("eve@example.com"), want: monitoringv1.ReasonNoContacts},
		"NoTenant":         {reason: "There is nobody.", namespace: "lone", spec: mail(), want: monitoringv1.ReasonNoContacts},
		"NotItsNamespace":  {reason: "The Tenant was refused the namespace: its contacts are not those of it.", namespace: "taken", spec: mail(), want: monitoringv1.ReasonNoContacts},
		"Platform":         {reason: "It writes to whom it wants.", namespace: "dogker-system", spec: mail("ops@example.com"), want: monitoringv1.ReasonAccepted},
		"PlatformToNobody": {reason: "It has no contacts.", namespace: "dogker-system", spec: mail(), want: monitoringv1.ReasonNoContacts},
		"NoMail":           {reason: "Nobody sends any.", namespace: "acme", spec: mail(), noMail: true, want: monitoringv1.ReasonMailUnavailable},
		"Webhook":          {reason: "The Secret has the URL.", namespace: "acme", spec: hook("chat"), want: monitoringv1.ReasonAccepted},
		"NoSecret":         {reason: "There is no such Secret.", namespace: "acme", spec: hook("gone"), want: monitoringv1.ReasonSecretNotFound},
		"NoKey":            {reason: "It lacks the key.", namespace: "acme", spec: hook("empty"), want: monitoringv1.ReasonSecretNotFound},
		"Suspended":        {reason: "It rests.", namespace: "acme", spec: suspended, want: monitoringv1.ReasonSuspended},
		"Delivered": {
			reason: "What is sent arrives.", namespace: "acme", spec: mail(), want: monitoringv1.ReasonAccepted,
			sent: alert.DeliveryState{Delivered: at, Failed: at.Add(-time.Hour), Reason: "Refused"}, delivering: monitoringv1.ReasonDelivered,
		},
		"NotDelivered": {
			reason: "What is sent does not arrive, which is another matter.", namespace: "acme", spec: mail(), want: monitoringv1.ReasonAccepted,
			sent: alert.DeliveryState{Delivered: at.Add(-time.Hour), Failed: at, Reason: "Unreachable", Message: "it does not answer"}, delivering: "Unreachable",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := &monitoringv1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: tc.namespace, Name: "r", Generation: 1}, Spec: tc.spec}
			c := New(nil, deliveries(tc.sent), Options{Platform: "dogker-system", Mail: !tc.noMail})
			got := pass(t, c, r)

			if ready := conditions.Get(got, conditions.Ready); ready.Reason != tc.want {
				t.Errorf("%s\nReady is %+v, want %s", tc.reason, ready, tc.want)
			}

			delivering := ""
			if c := conditions.Get(got, monitoringv1.ConditionDelivering); c != nil {
				delivering = c.Reason
			}

			if delivering != tc.delivering {
				t.Errorf("%s\nDelivering says %q, want %q", tc.reason, delivering, tc.delivering)
			}
		})
	}
}

// pass runs a pass over a Receiver, in a world of one tenant, and returns what is stored then.
func pass(t *testing.T, c *Controller, r *monitoringv1.Receiver) *monitoringv1.Receiver {
	t.Helper()

	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}

	acme := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
	acme.Spec.Contacts, acme.Status.Namespace = []v1alpha1.Contact{{Email: "ada@acme.example"}}, "acme"
	taken := acme.DeepCopy()
	taken.Name, taken.Status.Namespace = "taken", ""
	chat := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "chat"}, Data: map[string][]byte{monitoringv1.KeyURL: []byte("https://hooks.example.com")}}
	empty := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "empty"}}

	store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(acme, taken, chat, empty, r).WithStatusSubresource(r).Build()
	c.cached = store

	loop := engine.New(store, c, engine.Options{Name: Name, Strict: true})
	if _, err := loop.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(r)}); err != nil {
		t.Fatal(err)
	}

	var got monitoringv1.Receiver
	if err := store.Get(t.Context(), client.ObjectKeyFromObject(r), &got); err != nil {
		t.Fatal(err)
	}

	check.Status(t, &got)

	return &got
}
