package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/internal/outbox"
	"github.com/dogker/dogker/internal/outbox/trial"
)

func TestTrialOf(t *testing.T) {
	for name, tc := range map[string]struct{ to, receiver, fails string }{
		"Nobody":     {"", "", "one of them"},
		"Both":       {"a@example.com", "acme/chat", "not both"},
		"NoName":     {"", "acme/", `"acme/" must be NAMESPACE/NAME`},
		"NoTenant":   {"", "chat", `"chat" must be NAMESPACE/NAME`},
		"Address":    {"a@example.com", "", ""},
		"OfReceiver": {"", "acme/chat", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trialOf(tc.to, tc.receiver)
			if (err == nil) != (tc.fails == "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
				t.Fatalf("got %v, want %q", err, tc.fails)
			}
			if err == nil && (got.To != tc.to || (got.Receiver == nil) != (tc.receiver == "")) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestTold: only what was delivered is no failure, and each failure says what to do or why.
func TestTold(t *testing.T) {
	for name, tc := range map[string]struct {
		result trial.Result
		says   string
		fails  bool
	}{
		"Delivered": {trial.Result{ID: "x", Fate: outbox.FateDelivered}, "x was delivered", false},
		"Refused":   {trial.Result{ID: "x", Fate: outbox.FateWaiting, Message: "550 no"}, "550 no", true},
		"Waits":     {trial.Result{ID: "x", Fate: outbox.FateWaiting}, "was not tried yet", true},
		"GivenUp":   {trial.Result{ID: "x", Fate: outbox.FateGivenUp}, "not tried again", true},
		"Nobody":    {trial.Result{ID: "x", Fate: outbox.FateNobody}, "nobody to tell", true},
		"Dropped":   {trial.Result{ID: "x", Fate: outbox.FateDropped}, "not tried again", true},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := told(tc.result)
			if err != nil {
				said = err.Error()
			}
			if (err != nil) != tc.fails || !strings.Contains(said, tc.says) {
				t.Errorf("got %q, want %q and a failure: %v", said, tc.says, tc.fails)
			}
		})
	}
}

// TestTry: what the server answers is told, in its words.
func TestTry(t *testing.T) {
	var code int
	var body any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req trial.Request
		if r.URL.Path != trial.NoticePath || r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&req) != nil || req.To != "a@example.com" {
			t.Errorf("got %s %s for %+v", r.Method, r.URL, req)
		}
		if text, plain := body.(string); plain {
			http.Error(w, text, code)
			return
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	defer server.Close()
	c, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}

	body = trial.Result{ID: "x", Fate: outbox.FateDelivered}
	if got, err := try(t.Context(), c, trial.Request{To: "a@example.com"}); err != nil || got.ID != "x" {
		t.Errorf("got %+v, %v", got, err)
	}
	code, body = http.StatusBadRequest, "to: no mail is sent"
	if _, err := try(t.Context(), c, trial.Request{To: "a@example.com"}); err == nil || !strings.Contains(err.Error(), "400: to: no mail is sent") {
		t.Errorf("got %v, want the words of the server", err)
	}
}
