package midtrans

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/dogker/dogker/reconciler/payment"
)

const secret = "SB-Mid-server-fake"

func key(t testing.TB, text string) payment.ServerKey {
	t.Helper()

	k, err := payment.NewServerKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return k
}

// memory is a transport that reaches a handler without a network, so that time can be fake.
type memory struct{ http.Handler }

// RoundTrip implements http.RoundTripper.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	m.ServeHTTP(w, r)

	return w.Result(), nil
}

func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func newServer(t *testing.T, o Options) *Server {
	t.Helper()

	o.Key = key(t, secret)
	s := New(o)
	t.Cleanup(s.Close)

	return s
}

// ask makes a call with the key and returns the status of HTTP and the body.
func ask(t *testing.T, s *Server, method, path string, body any, edits ...func(*http.Request)) (int, map[string]any) {
	t.Helper()

	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}

	r := httptest.NewRequest(method, path, bytes.NewReader(raw))
	r.SetBasicAuth(secret, "")

	for _, edit := range edits {
		edit(r)
	}

	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)

	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%s %s: %d %s: %v", method, path, w.Code, w.Body, err)
	}

	return w.Code, answer
}

func page(order string, amount int64, edits ...func(map[string]any)) map[string]any {
	m := map[string]any{"transaction_details": map[string]any{"order_id": order, "gross_amount": amount}}
	for _, edit := range edits {
		edit(m)
	}

	return m
}

// open makes a page for an order and returns its path.
func open(t *testing.T, s *Server, order string, edits ...func(map[string]any)) string {
	t.Helper()

	code, answer := ask(t, s, http.MethodPost, "/snap/v1/transactions", page(order, 10_000, edits...))
	if code != http.StatusCreated {
		t.Fatalf("%d %v", code, answer)
	}

	return strings.TrimPrefix(fmt.Sprint(answer["redirect_url"]), "http://example.com")
}

// says is the status and fraud status that GET answers.
func says(t *testing.T, s *Server, id string) string {
	t.Helper()

	_, answer := ask(t, s, http.MethodGet, "/v2/"+id+"/status", nil)

	return fmt.Sprint(answer["status_code"], " ", answer["transaction_status"], " ", answer["fraud_status"])
}
