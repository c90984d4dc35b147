package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/internal/notice"
	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/book"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

// hook is an endpoint that answers as it is told.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	code   int
	header []http.Header
	bodies [][]byte
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{code: http.StatusNoContent}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || !json.Valid(body) {
			t.Errorf("%s %q: %v", r.Method, body, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.header, h.bodies = append(h.header, r.Header), append(h.bodies, body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(h.code)
	}))
	t.Cleanup(h.Close)

	return h
}

func down() alert.Notification {
	labels := map[string]string{"alertname": "containers", "namespace": "acme", "container": "web", "severity": "critical"}
	incident := alert.Incident{
		Fingerprint: "f1", Status: alert.StatusFiring, Reason: alert.ReasonContainerDown, Severity: alert.SeverityCritical, StartsAt: start,
		Subject: alert.ObjectRef{Kind: "TenantContainer", Namespace: "acme", Name: "web"}, Labels: labels,
		Annotations: map[string]string{"summary": "<!channel> shop & co @here"}, Facts: map[string]string{alert.FactTasks: "0/2"},
	}
	over := incident
	over.Fingerprint, over.Status, over.EndsAt, over.Subject.Name = "f2", alert.StatusResolved, start.Add(time.Hour), "db"
	over.Labels = map[string]string{"alertname": "containers", "namespace": "acme", "container": "db", "severity": "critical"}

	return alert.Notification{
		ID: "alert-1", Tenant: "acme", Receiver: alert.ReceiverRef{Namespace: "acme", Name: "chat"}, Topic: alert.TopicContainers,
		Title: "containers", GroupKey: "uid/g", Status: alert.StatusFiring, Severity: alert.SeverityCritical, At: start,
		Incidents: []alert.Incident{incident, over}, Omitted: 2,
	}
}

func receiver(t *testing.T, h *hook, o ReceiverOptions) *Receiver {
	t.Helper()
	o.Ref, o.URL, o.Plain = alert.ReceiverRef{Namespace: "acme", Name: "chat"}, h.URL+"/hook?token=t0p", true
	r, err := NewReceiver(NewPublicClient("test", clock, true), o)
	if err != nil {
		t.Fatal(err)
	}

	return r
}

// TestSignature: whoever has a secret can tell that it came from us, and when, as Standard Webhooks says.
func TestSignature(t *testing.T) {
	h := newHook(t)
	secrets := [][]byte{[]byte("the secret in use"), []byte("the secret before")}
	if err := receiver(t, h, ReceiverOptions{Secrets: secrets}).Send(t.Context(), down()); err != nil {
		t.Fatal(err)
	}
	header, body := h.header[0], h.bodies[0]
	var want []string
	for _, s := range secrets {
		mac := hmac.New(sha256.New, s)
		fmt.Fprintf(mac, "alert-1.%d.%s", start.Unix(), body)
		want = append(want, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if header.Get("webhook-id") != "alert-1" || header.Get("webhook-timestamp") != fmt.Sprint(start.Unix()) ||
		header.Get("webhook-signature") != strings.Join(want, " ") || header.Get(HeaderDogker) != "" {
		t.Errorf("headers: %v", header)
	}
	if err := receiver(t, h, ReceiverOptions{}).Send(t.Context(), down()); err != nil || h.header[1].Get("webhook-signature") != "" {
		t.Errorf("without a secret: %v, %v", err, h.header[1])
	}
}

// TestPlatform: the endpoint of the operator gets what the ledger has said, under the ledger's ID, and whom to write to.
func TestPlatform(t *testing.T) {
	h := newHook(t)
	p, err := NewPlatform(NewClient("test", clock), h.URL, [][]byte{[]byte("the secret in use")})
	if err != nil {
		t.Fatal(err)
	}
	p = p.With(func(_ context.Context, tenant string) []Contact {
		return []Contact{{Email: "pay@" + tenant + ".example"}}
	})
	n := notice.Notification(book.Notice{
		Tenant: "acme", ID: "LowBalance:24h:3", Kind: "LowBalance", Time: start.Unix(), Seq: 12, Data: map[string]string{"available": "2400"},
	}, alert.ReceiverRef{})
	if err := p.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	var got Message
	if err := json.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	got.Incidents = nil
	want := Message{
		ID: "acme/LowBalance:24h:3", Tenant: "acme", Kind: "LowBalance", Time: start, Seq: 12, Subject: "Low balance (acme)",
		Text: "The balance is low: Rp 2,400 are left.", Data: map[string]string{"available": "2400"},
		Contacts: []Contact{{Email: "pay@acme.example"}}, Topic: alert.TopicBilling, Status: alert.StatusInformed,
		Severity: alert.SeverityWarning, Title: "BillingAccount", Source: n.Source, GroupKey: n.GroupKey,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	mac := hmac.New(sha256.New, []byte("the secret in use"))
	fmt.Fprintf(mac, "%d.%s", start.Unix(), h.bodies[0])
	if want := fmt.Sprintf("t=%d,v1=%s", start.Unix(), hex.EncodeToString(mac.Sum(nil))); h.header[0].Get(HeaderDogker) != want {
		t.Errorf("got %s, want %s", h.header[0].Get(HeaderDogker), want)
	}
}

// TestSlack: what tenants write calls nobody and links nowhere.
func TestSlack(t *testing.T) {
	h := newHook(t)
	if err := receiver(t, h, ReceiverOptions{Format: monitoringv1.FormatSlack}).Send(t.Context(), down()); err != nil {
		t.Fatal(err)
	}
	var got slack
	if err := json.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	a := got.Attachments[0]
	if a.Color != "danger" || a.Title != "containers: 1 firing, 3 others (acme)" || !strings.Contains(a.Text, "&lt;!channel&gt; shop &amp; co @\u200bhere") {
		t.Errorf("%+v", a)
	}
}

// TestAlertmanager: whoever receives Alertmanager's webhooks finds what he looks for.
func TestAlertmanager(t *testing.T) {
	h := newHook(t)
	if err := receiver(t, h, ReceiverOptions{Format: monitoringv1.FormatAlertmanager}).Send(t.Context(), down()); err != nil {
		t.Fatal(err)
	}
	var got alertmanager
	if err := json.Unmarshal(h.bodies[0], &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "4" || got.Status != "firing" || got.TruncatedAlerts != 2 || got.Receiver != "acme/chat" || len(got.Alerts) != 2 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(map[string]string{"alertname": "containers", "namespace": "acme", "severity": "critical"}, got.CommonLabels); diff != "" {
		t.Errorf("common labels (-want +got):\n%s", diff)
	}
	if a := got.Alerts[1]; a.Status != "resolved" || a.Fingerprint != "f2" || !a.EndsAt.Equal(start.Add(time.Hour)) || a.Labels["container"] != "db" {
		t.Errorf("%+v", a)
	}
}

// TestAnswers: what an endpoint answers decides what follows, and nothing that is said of it shows its URL.
func TestAnswers(t *testing.T) {
	cases := map[int]error{
		200: nil, 204: nil, 302: outbox.ErrUnreachable, 400: outbox.ErrRefused, 401: outbox.ErrRefused, 404: outbox.ErrRefused,
		408: outbox.ErrUnreachable, 410: outbox.ErrFinal, 425: outbox.ErrUnreachable, 429: outbox.ErrUnreachable, 500: outbox.ErrUnreachable, 503: outbox.ErrUnreachable,
	}
	h := newHook(t)
	r := receiver(t, h, ReceiverOptions{})
	for code, want := range cases {
		h.mu.Lock()
		h.code = code
		h.mu.Unlock()
		err := r.Send(t.Context(), down())
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%d: got %v, want %v", code, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "t0p") || strings.Contains(err.Error(), "127.0.0.1")) {
			t.Errorf("%d: the URL is shown: %v", code, err)
		}
	}
	if n := len(h.bodies); n != len(cases) {
		t.Errorf("%d requests for %d notices: a redirect was followed", n, len(cases))
	}
	h.Close()
	if err := r.Send(t.Context(), down()); !errors.Is(err, outbox.ErrUnreachable) || strings.Contains(err.Error(), "t0p") {
		t.Errorf("an endpoint that is down: %v", err)
	}
}

// TestPrivate: URLs of tenants lead to no address of ours, and by https only.
func TestPrivate(t *testing.T) {
	h := newHook(t)
	r, err := NewReceiver(NewPublicClient("test", clock, false), ReceiverOptions{URL: h.URL, Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Send(t.Context(), down()); !errors.Is(err, outbox.ErrRefused) || len(h.bodies) > 0 {
		t.Errorf("a private address: %v, %d requests", err, len(h.bodies))
	}
	for address, fine := range map[string]bool{
		"https://hooks.example.com/x?y=z": true, "http://hooks.example.com": false, "https://user:word@example.com": false,
		"https://": false, "ftp://example.com": false, "https://example.com/#x": false, "://": false, "hooks.example.com": false,
	} {
		_, err := NewReceiver(NewPublicClient("test", clock, false), ReceiverOptions{URL: address})
		if (err == nil) != fine || err != nil && strings.Contains(err.Error(), "word") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestReadSecrets(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"One":       {"One is enough.", "# since June\n\n a-secret-of-some-length \n", []string{"a-secret-of-some-length"}},
		"Two":       {"Two while it is changed.", "a-secret-of-some-length\nanother-secret-of-some-length\n", []string{"a-secret-of-some-length", "another-secret-of-some-length"}},
		"Encoded":   {"Standard Webhooks write them in base64.", "whsec_YS1zZWNyZXQtb2Ytc29tZS1sZW5ndGg=\n", []string{"a-secret-of-some-length"}},
		"Malformed": {"What only looks like it is a mistake.", "whsec_a-secret-of-some-length\n", nil},
		"None":      {"A file without any is a mistake.", "# nothing\n", nil},
		"Three":     {"So is a file with many.", strings.Repeat("a-secret-of-some-length\n", 3), nil},
		"Short":     {"What is short can be guessed.", "short\n", nil},
		"TooLarge":  {"It is some other file.", strings.Repeat("a-secret-of-some-length", 1000), nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secrets")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			secrets, err := ReadSecrets(path)
			var got []string
			for _, s := range secrets {
				got = append(got, string(s))
			}
			if !slices.Equal(got, tc.want) || (err == nil) != (tc.want != nil) {
				t.Errorf("%s\n%q, %v", tc.reason, got, err)
			}
			if err != nil && (strings.Contains(err.Error(), "a-secret") || strings.Contains(err.Error(), `"short"`)) {
				t.Errorf("the error has a secret in it: %v", err)
			}
		})
	}
	if _, err := ReadSecrets(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
