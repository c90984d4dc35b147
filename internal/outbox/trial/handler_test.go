package trial

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/reconciler/alert"
)

// office is a queue, and a mail server.
type office struct {
	put     []alert.Notification
	refuses error
	// fates are told one after the other; the last one stays.
	fates []outbox.Fate
	says  string
	login error
}

func (o *office) Put(_ context.Context, n alert.Notification) error {
	if o.refuses == nil {
		o.put = append(o.put, n)
	}

	return o.refuses
}

func (o *office) Fate(_ context.Context, tenant, id string) (outbox.Fate, string, error) {
	if len(o.put) != 1 || o.put[0].Tenant != tenant || o.put[0].ID != id {
		return "", "", errors.New("somebody asks for another notice")
	}
	fate := o.fates[0]
	if len(o.fates) > 1 {
		o.fates = o.fates[1:]
		return fate, "", nil
	}

	return fate, o.says, nil
}

func (o *office) Check(context.Context) error { return o.login }

func (o *office) handler() *Handler {
	h := New(Options{Platform: "dogker-system", Mail: Mail{Server: "mail.example.com:587", Security: "starttls", Login: true}, Server: o})
	h.patience = time.Second
	h.Open(o)

	return h
}

func ask(t *testing.T, h *Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))

	return w.Code, strings.TrimSpace(w.Body.String())
}

// TestNotice: one notice that says what it is goes to who is meant, and what becomes of it is told.
func TestNotice(t *testing.T) {
	ops := alert.ReceiverRef{Namespace: "acme", Name: "ops"}
	address := alert.ReceiverRef{Namespace: "dogker-system", Name: "mailto:new@example.com"}
	for name, tc := range map[string]struct {
		reason string
		body   string
		office office
		to     alert.ReceiverRef
		want   Result
	}{
		"Address":  {"It is delivered.", `{"to": "new@example.com"}`, office{fates: []outbox.Fate{outbox.FateWaiting, outbox.FateDelivered}}, address, Result{Fate: outbox.FateDelivered}},
		"Receiver": {"Also to a Receiver.", `{"receiver": {"namespace": "acme", "name": "ops"}}`, office{fates: []outbox.Fate{outbox.FateDelivered}}, ops, Result{Fate: outbox.FateDelivered}},
		"Refused":  {"Who does not take it says why, and nobody waits for the next try.", `{"to": "new@example.com"}`, office{fates: []outbox.Fate{outbox.FateWaiting}, says: "550 no"}, address, Result{Fate: outbox.FateWaiting, Message: "550 no"}},
		"Slow":     {"Nobody waits for ever.", `{"to": "new@example.com"}`, office{fates: []outbox.Fate{outbox.FateWaiting}}, address, Result{Fate: outbox.FateWaiting}},
		"Nobody":   {"A Receiver may lead nowhere.", `{"receiver": {"namespace": "acme", "name": "ops"}}`, office{fates: []outbox.Fate{outbox.FateNobody}}, ops, Result{Fate: outbox.FateNobody}},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := ask(t, tc.office.handler(), http.MethodPost, NoticePath, tc.body)
			var got Result
			if err := json.Unmarshal([]byte(said), &got); code != http.StatusOK || err != nil {
				t.Fatalf("got %d %s", code, said)
			}
			if len(tc.office.put) != 1 {
				t.Fatalf("%d notices were sent", len(tc.office.put))
			}
			n := tc.office.put[0]
			if n.Receiver != tc.to || n.Tenant != tc.to.Namespace || n.Incidents[0].Reason != alert.ReasonTest {
				t.Errorf("it is to %+v of %q and says %q", n.Receiver, n.Tenant, n.Incidents[0].Reason)
			}
			tc.want.ID = n.ID
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestRefused: what cannot be sent is not, and who asks is told why.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		body   string
		office office
		code   int
		says   string
	}{
		"Nobody":      {`{}`, office{}, http.StatusBadRequest, "one of them must be given"},
		"Both":        {`{"to": "a@example.com", "receiver": {"namespace": "a", "name": "b"}}`, office{}, http.StatusBadRequest, "and not both"},
		"NoJSON":      {`to=a`, office{}, http.StatusBadRequest, "must be JSON"},
		"TooLong":     {`{"to": "` + strings.Repeat("a", maxBody) + `"}`, office{}, http.StatusBadRequest, "read the request"},
		"NoAddress":   {`{"to": "root"}`, office{}, http.StatusBadRequest, `to: "root" must be a plain address`},
		"Named":       {`{"to": "A <a@example.com>"}`, office{}, http.StatusBadRequest, "plain address"},
		"LongAddress": {`{"to": "` + strings.Repeat("a", maxAddress) + `@example.com"}`, office{}, http.StatusBadRequest, "plain address"},
		"NoName":      {`{"receiver": {"namespace": "acme"}}`, office{}, http.StatusBadRequest, `receiver: "acme/" must be`},
		"NoReceiver":  {`{"receiver": {"namespace": "dogker-system", "name": "mailto:a@example.com"}}`, office{}, http.StatusBadRequest, "receiver: "},
		"TooMany":     {`{"to": "a@example.com"}`, office{refuses: outbox.ErrTooMany}, http.StatusTooManyRequests, "too many"},
		"NoStore":     {`{"to": "a@example.com"}`, office{refuses: errors.New("no leader")}, http.StatusServiceUnavailable, "no leader"},
	} {
		t.Run(name, func(t *testing.T) {
			if code, said := ask(t, tc.office.handler(), http.MethodPost, NoticePath, tc.body); code != tc.code || !strings.Contains(said, tc.says) {
				t.Errorf("got %d %s, want %d %s", code, said, tc.code, tc.says)
			}
			if len(tc.office.put) > 0 {
				t.Error("something was sent")
			}
		})
	}
	none := New(Options{Platform: "dogker-system"})
	if code, said := ask(t, none, http.MethodPost, NoticePath, `{"receiver": {"namespace": "a", "name": "b"}}`); code != http.StatusServiceUnavailable {
		t.Errorf("before there is a queue: got %d %s", code, said)
	}
	if code, said := ask(t, none, http.MethodPost, NoticePath, `{"to": "a@example.com"}`); code != http.StatusBadRequest || !strings.Contains(said, "--smtp-address") {
		t.Errorf("without mail: got %d %s", code, said)
	}
	if code, _ := ask(t, none, http.MethodGet, NoticePath, ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET of a notice: got %d", code)
	}
}

// TestMail: what the mail server says is told, and nothing is sent.
func TestMail(t *testing.T) {
	for name, tc := range map[string]struct {
		handler *Handler
		want    Mail
	}{
		"Well":   {(&office{}).handler(), Mail{Server: "mail.example.com:587", Security: "starttls", Login: true}},
		"Locked": {(&office{login: errors.New("535 no")}).handler(), Mail{Server: "mail.example.com:587", Security: "starttls", Login: true, Problem: "535 no"}},
		"None":   {New(Options{}), Mail{}},
	} {
		t.Run(name, func(t *testing.T) {
			code, said := ask(t, tc.handler, http.MethodGet, MailPath, "")
			var got Mail
			if err := json.Unmarshal([]byte(said), &got); code != http.StatusOK || err != nil {
				t.Fatalf("got %d %s", code, said)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
