package directory

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/fake/mailbox"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/internal/mail"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/webhook"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/book"
)

func named(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// acme has one contact for each purpose and one for all.
func acme() *v1alpha1.Tenant {
	return &v1alpha1.Tenant{ObjectMeta: named("", "acme"), Spec: v1alpha1.TenantSpec{Contacts: []v1alpha1.Contact{
		{Email: "boss@acme.example", Name: "Boss"},
		{Email: "pay@acme.example", Purposes: []string{"billing"}},
		{Email: "ops@acme.example", Purposes: []string{"technical", "security"}},
	}}, Status: v1alpha1.TenantStatus{Namespace: "acme"}}
}

// refused is a Tenant that has no namespace: one of its name was there before it.
func refused() *v1alpha1.Tenant {
	t := acme()
	t.Name, t.Status.Namespace = "refused", ""

	return t
}

func emails(name string, to ...string) *monitoringv1.Receiver {
	return &monitoringv1.Receiver{ObjectMeta: named("acme", name), Spec: monitoringv1.ReceiverSpec{
		Email: &monitoringv1.EmailReceiver{To: to}, Topics: []monitoringv1.Topic{monitoringv1.TopicAlerts},
	}}
}

func posts(name string, w monitoringv1.WebhookReceiver) *monitoringv1.Receiver {
	return &monitoringv1.Receiver{ObjectMeta: named("acme", name), Spec: monitoringv1.ReceiverSpec{
		Webhook: &w, Topics: []monitoringv1.Topic{monitoringv1.TopicContainers}, RateLimit: monitoringv1.RateLimit{PerHour: 7},
	}}
}

func newDirectory(t *testing.T, box *mailbox.Mailbox, objects ...client.Object) *Directory {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme), monitoringv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Reader:    fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(),
		Hooks:     webhook.NewPublicClient("test", time.Now, true),
		Namespace: "dogker-system",
	}
	if box != nil {
		var err error
		if o.Mail, err = mail.New(mail.Config{Address: box.Addr(), Security: mail.None, From: "noreply@example.com"}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(o.Mail.Close)
	}

	return New(o)
}

func listen(t *testing.T) *mailbox.Mailbox {
	t.Helper()
	box, err := mailbox.Listen("127.0.0.1:0", mailbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Stop() })

	return box
}

// TestTargets: where each Receiver leads, and to whom none may.
func TestTargets(t *testing.T) {
	box := listen(t)
	suspended := emails("suspended")
	suspended.Spec.Suspend = true
	platform := emails("platform", "anybody@example.com")
	platform.Namespace = "dogker-system"
	d := newDirectory(t, box, acme(), refused(), emails("all"), emails("some", "OPS@acme.example", "stranger@evil.example"), suspended, platform,
		posts("chat", monitoringv1.WebhookReceiver{URL: "https://hooks.example.com/x"}),
		posts("secret", monitoringv1.WebhookReceiver{
			URLSecretRef: &monitoringv1.SecretReference{Name: "hook"}, SigningSecretRef: &monitoringv1.SecretReference{Name: "hook"},
		}),
		posts("lost", monitoringv1.WebhookReceiver{URLSecretRef: &monitoringv1.SecretReference{Name: "nowhere"}}),
		posts("short", monitoringv1.WebhookReceiver{URL: "https://hooks.example.com/x", SigningSecretRef: &monitoringv1.SecretReference{Name: "short"}}),
		&corev1.Secret{ObjectMeta: named("acme", "hook"), Data: map[string][]byte{"url": []byte("https://hooks.example.com/t0p\n"), "secret": []byte("a-secret-of-some-length\n")}},
		&corev1.Secret{ObjectMeta: named("acme", "short"), Data: map[string][]byte{"secret": []byte("short")}},
	)
	cases := map[string]struct {
		reason string
		to     alert.ReceiverRef
		topic  alert.Topic
		want   []string
		fails  string
	}{
		"Contacts":  {"What is technical goes to those who are there for that.", alert.ReceiverRef{Namespace: "acme"}, alert.TopicContainers, []string{"mail:boss@acme.example", "mail:ops@acme.example"}, ""},
		"Billing":   {"And money to those who pay.", alert.ReceiverRef{Namespace: "acme"}, alert.TopicBilling, []string{"mail:boss@acme.example", "mail:pay@acme.example"}, ""},
		"NoTenant":  {"A namespace without a Tenant has no contacts.", alert.ReceiverRef{Namespace: "other"}, alert.TopicAlerts, nil, ""},
		"Refused":   {"A namespace that was there before the Tenant is not its business.", alert.ReceiverRef{Namespace: "refused"}, alert.TopicAlerts, nil, ""},
		"All":       {"A Receiver that names nobody writes to the same.", alert.ReceiverRef{Namespace: "acme", Name: "all"}, alert.TopicBilling, []string{"mail:boss@acme.example", "mail:pay@acme.example"}, ""},
		"Some":      {"One that names some writes to those of them that are contacts.", alert.ReceiverRef{Namespace: "acme", Name: "some"}, alert.TopicAlerts, []string{"mail:ops@acme.example"}, ""},
		"Platform":  {"The platform writes to whom it likes.", alert.ReceiverRef{Namespace: "dogker-system", Name: "platform"}, alert.TopicAlerts, []string{"mail:anybody@example.com"}, ""},
		"Suspended": {"One that is suspended is told nothing.", alert.ReceiverRef{Namespace: "acme", Name: "suspended"}, alert.TopicAlerts, nil, ""},
		"Webhook":   {"A URL is a target.", alert.ReceiverRef{Namespace: "acme", Name: "chat"}, alert.TopicAlerts, []string{"webhook"}, ""},
		"Secret":    {"Also when it is a secret.", alert.ReceiverRef{Namespace: "acme", Name: "secret"}, alert.TopicAlerts, []string{"webhook"}, ""},
		"Lost":      {"A secret that is not there may come.", alert.ReceiverRef{Namespace: "acme", Name: "lost"}, alert.TopicAlerts, nil, `read secret "nowhere"`},
		"Short":     {"One that can be guessed signs nothing.", alert.ReceiverRef{Namespace: "acme", Name: "short"}, alert.TopicAlerts, nil, "at least 16 characters"},
		"Gone":      {"A Receiver that is not there is gone.", alert.ReceiverRef{Namespace: "acme", Name: "gone"}, alert.TopicAlerts, nil, outbox.ErrGone.Error()},
		"Address":   {"The operator tries an address.", Address("dogker-system", "new@example.com"), alert.TopicAlerts, []string{"mail:new@example.com"}, ""},
		"NoAddress": {"Nobody else does.", Address("acme", "new@example.com"), alert.TopicAlerts, nil, outbox.ErrGone.Error()},
		"Endpoint":  {"There is no endpoint of the platform.", alert.ReceiverRef{}, alert.TopicBilling, nil, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			route, err := d.Targets(t.Context(), alert.Notification{Tenant: "acme", Receiver: tc.to, Topic: tc.topic})
			if (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Fatalf("%s\ngot %v, want %q", tc.reason, err, tc.fails)
			}
			var got []string
			for _, target := range route.Targets {
				got = append(got, target.Key())
			}
			slices.Sort(got)
			if limited := route.PerHour > 0; len(got) > 0 && tc.to.Name == "" && limited == (tc.topic == alert.TopicBilling) {
				t.Errorf("contacts are told %d notices of topic %s an hour; what is about money has no limit, and all else has", route.PerHour, tc.topic)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
			if err != nil && (strings.Contains(err.Error(), "t0p") || strings.Contains(err.Error(), "a-secret")) {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

// TestReceivers: who is told of money: the endpoint of the platform, and Receivers with that topic or else the contacts.
func TestReceivers(t *testing.T) {
	money := posts("money", monitoringv1.WebhookReceiver{URL: "https://hooks.example.com/x"})
	money.Spec.Topics = []monitoringv1.Topic{monitoringv1.TopicBilling}
	for name, tc := range map[string]struct {
		reason  string
		box     *mailbox.Mailbox
		objects []client.Object
		want    []alert.ReceiverRef
	}{
		"Contacts": {"Without a Receiver it goes by mail.", listen(t), []client.Object{acme(), emails("alerts")}, []alert.ReceiverRef{{Namespace: "acme"}}},
		"Receiver": {"With one it goes there.", listen(t), []client.Object{acme(), money}, []alert.ReceiverRef{{Namespace: "acme", Name: "money"}}},
		"NoMail":   {"Where no mail is sent there may be nobody.", nil, []client.Object{acme()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newDirectory(t, tc.box, tc.objects...).Receivers(t.Context(), "acme")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPaymentByMail: from the transaction that credits an order to one mail for each contact, also when the mail server was
// down then and the order is credited again.
func TestPaymentByMail(t *testing.T) {
	store, err := etcd.Open(t.Context(), etcd.Config{Dir: filepath.Join(t.TempDir(), "etcd"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	books, err := ledger.NewLeader(ledger.New(store.Client, time.Now), ledger.LeaderOptions{Holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := outbox.NewQueue(store.Client, outbox.QueueOptions{})
	if err != nil {
		t.Fatal(err)
	}
	box := listen(t)
	if err := box.Stop(); err != nil {
		t.Fatal(err)
	}
	d := newDirectory(t, box, acme())
	deliverer := outbox.New(outbox.Options{Queue: queue, Directory: d})
	bridge := notice.NewBridge(notice.Options{Ledger: books, Outbox: queue, Receivers: d.Receivers})
	books.Subscribe(bridge.Wake)

	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	for _, run := range []func(context.Context) error{books.Start, bridge.Start, deliverer.Start} {
		group.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		if _, err := books.Do(t.Context(), book.Request{
			Tenant: "acme", Op: book.TopUp{Order: "o1", Transaction: "t1", Amount: 50_000_000_000},
			Decide: func(book.Head, book.Outcome) book.Decision {
				return book.Decision{Notices: []book.Notice{{
					ID: "PaymentReceived:1", Kind: "PaymentReceived", Time: time.Now().Unix(), Data: map[string]string{"amount": "50000.000000", "order": "o1"},
				}}}
			},
		}); err != nil {
			t.Fatal(err)
		}
	}
	here := alert.ReceiverRef{Namespace: "acme"}
	for deadline := time.Now().Add(20 * time.Second); deliverer.State(here).Reason != outbox.ReasonUnreachable; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not find that the server is down: %+v", deliverer.State(here))
		}
	}
	if err := box.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); deliverer.State(here).Waiting > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not deliver: %+v", deliverer.State(here))
		}
	}
	for _, address := range []string{"boss@acme.example", "pay@acme.example"} {
		if got := box.To(address); len(got) != 1 || got[0].Subject != "Payment received: Rp 50,000 (acme)" {
			t.Errorf("%s has %d mails", address, len(got))
		}
	}
	if got := len(box.Mails()); got != 2 {
		t.Errorf("%d mails arrived", got)
	}
}
