package alertmanager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	monitoringv1 "github.com/dogker/dogker/api/monitoring/v1alpha1"
	"github.com/dogker/dogker/reconciler/alert"
)

// town is a directory and an outbox.
type town struct {
	down error
	put  []alert.Notification
}

func (town) Audience(_ context.Context, namespace string) (Audience, error) {
	switch namespace {
	case "acme":
		return Audience{Tenant: true, Contacts: true}, nil
	case "globex":
		r := monitoringv1.Receiver{ObjectMeta: metav1.ObjectMeta{Name: "chat"}}
		r.Spec.MinSeverity = monitoringv1.SeverityCritical

		return Audience{Tenant: true, Contacts: true, Receivers: []monitoringv1.Receiver{r}}, nil
	case "dogker-system":
		return Audience{Receivers: []monitoringv1.Receiver{{ObjectMeta: metav1.ObjectMeta{Name: "ops"}}}}, nil
	default:
		return Audience{}, nil
	}
}

func (o *town) Put(_ context.Context, n alert.Notification) error {
	if o.down != nil {
		return o.down
	}

	if !slices.ContainsFunc(o.put, func(have alert.Notification) bool { return have.ID == n.ID }) {
		o.put = append(o.put, n)
	}

	return nil
}

func post(t *testing.T, o *town, body string) int {
	t.Helper()

	h, err := New(Options{Platform: "dogker-system"})
	if err != nil {
		t.Fatal(err)
	}

	h.Open(o, o)

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(body)))

	return w.Code
}

func payload(alerts ...string) string {
	return `{"version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": [` + strings.Join(alerts, ",") + `]}`
}

func one(status, namespace, severity string) string {
	return fmt.Sprintf(`{"status": %q, "labels": {"alertname": "Slow", "namespace": %q, "container": "web", "severity": %q},
		"annotations": {"summary": "it is slow"}, "startsAt": "2026-01-05T00:00:00.123Z", "endsAt": "2026-01-05T01:00:00Z", "fingerprint": "ab"}`,
		status, namespace, severity)
}

func TestWhoIsTold(t *testing.T) {
	cases := map[string]struct {
		reason string
		bodies []string
		want   []string
	}{
		"TenantByMail": {
			reason: "A tenant without a Receiver is told as its contacts.",
			bodies: []string{payload(one("firing", "acme", "warning"))},
			want:   []string{"acme// firing warning 1"},
		},
		"TenantByItsReceiver": {
			reason: "Severity is that of the label.",
			bodies: []string{payload(one("firing", "globex", "page"))},
			want:   []string{"globex/chat firing critical 1"},
		},
		"TooLittleForIt": {
			reason: "Its Receiver wants to know of what is critical only.",
			bodies: []string{payload(one("firing", "globex", "warning"))},
		},
		"NobodysIsThePlatforms": {
			reason: "A namespace that belongs to no tenant, or none at all, is a matter of the platform.",
			bodies: []string{payload(one("firing", "elsewhere", "info")), payload(one("firing", "", "info"))},
			want:   []string{"dogker-system/ops firing info 1", "dogker-system/ops firing info 1"},
		},
		"EachItsOwn": {
			reason: "One request may be about several tenants; none is told what another one has.",
			bodies: []string{payload(one("firing", "acme", "warning"), one("firing", "globex", "critical"))},
			want:   []string{"acme// firing warning 1", "globex/chat firing critical 1"},
		},
		"Once": {
			reason: "Alertmanager repeats, and there may be two of it.",
			bodies: []string{payload(one("firing", "acme", "warning")), payload(one("firing", "acme", "warning"))},
			want:   []string{"acme// firing warning 1"},
		},
		"Resolved": {
			reason: "That it is over is news.",
			bodies: []string{payload(one("firing", "acme", "warning")), payload(one("resolved", "acme", "warning"))},
			want:   []string{"acme// firing warning 1", "acme// resolved warning 1"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var o town

			for _, body := range tc.bodies {
				if code := post(t, &o, body); code != http.StatusOK {
					t.Fatalf("answered %d", code)
				}
			}

			var got []string

			for _, n := range o.put {
				to := n.Receiver.Namespace + "/" + n.Receiver.Name
				if n.Receiver.Name == "" {
					to += "/"
				}

				got = append(got, fmt.Sprintf("%s %s %s %d", to, n.Status, n.Severity, len(n.Incidents)))
			}

			slices.Sort(got)

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ntold (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestIncident(t *testing.T) {
	var o town

	post(t, &o, payload(one("resolved", "acme", "critical")))

	labels := map[string]string{"alertname": "Slow", "namespace": "acme", "container": "web", "severity": "critical"}
	want := []alert.Incident{{
		Fingerprint: alert.Fingerprint(labels), Status: alert.StatusResolved, Reason: alert.ReasonExternal, Severity: alert.SeverityCritical,
		Subject: alert.ObjectRef{Kind: "TenantContainer", Namespace: "acme", Name: "web"}, Labels: labels,
		Annotations: map[string]string{"summary": "it is slow"},
		StartsAt:    time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), EndsAt: time.Date(2026, 1, 5, 1, 0, 0, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, o.put[0].Incidents); diff != "" {
		t.Errorf("incidents (-want +got):\n%s", diff)
	}

	if o.put[0].Title != "Slow" {
		t.Errorf("the title is %q, want the name of the alert", o.put[0].Title)
	}
}

func TestAnswers(t *testing.T) {
	cases := map[string]struct {
		reason, body string
		down         error
		want         int
	}{
		"NoJSON":       {reason: "It is not Alertmanager.", body: "hello", want: http.StatusBadRequest},
		"OtherVersion": {reason: "What it means is not known.", body: `{"version": "3", "alerts": [{}]}`, want: http.StatusBadRequest},
		"NoAlerts":     {reason: "It says nothing.", body: payload(), want: http.StatusBadRequest},
		"NoStart":      {reason: "It could not be told from the next one.", body: payload(`{"status": "firing"}`), want: http.StatusBadRequest},
		"TooLarge":     {reason: "What is read is bounded.", body: `{"version": "` + strings.Repeat("4", maxBody) + `"}`, want: http.StatusRequestEntityTooLarge},
		"OutboxDown":   {reason: "Alertmanager tries again.", body: payload(one("firing", "acme", "info")), down: errors.New("boom"), want: http.StatusServiceUnavailable},
		"Long": {
			reason: "What is kept is bounded.", want: http.StatusOK,
			body: payload(`{"status": "firing", "startsAt": "2026-01-05T00:00:00Z", "annotations": {"summary": "` + strings.Repeat("x", 1<<20) + `"}}`),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := &town{down: tc.down}
			if got := post(t, o, tc.body); got != tc.want {
				t.Errorf("%s\nanswered %d, want %d", tc.reason, got, tc.want)
			}

			for _, n := range o.put {
				if size := n.Incidents[0].Size(); size > maxNotice {
					t.Errorf("the notice has %d bytes of text", size)
				}
			}
		})
	}
}

func TestNobodyIsHeardBeforeThereAreCaches(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(payload(one("firing", "acme", "info")))))

	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("answered %d, want 503: Alertmanager tries again then", w.Code)
	}
}
