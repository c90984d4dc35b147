package logship

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	tests := map[string]struct {
		reason, given, want string
	}{
		"Loki":          {"Its path is known.", "loki+https://logs.example.com/", "https://logs.example.com/loki/api/v1/push"},
		"LokiBelow":     {"A proxy may have it below a path.", "loki+http://10.0.0.1:3100/a/b", "http://10.0.0.1:3100/a/b/loki/api/v1/push"},
		"Elasticsearch": {"Its path ends in the index.", "elasticsearch+https://s:9200/logs-dogker-default", "https://s:9200/logs-dogker-default/_bulk?filter_path=errors,items.*.status"},
		"NoIndex":       {"Nothing is written into an index that nobody has named.", "elasticsearch+https://s:9200", ""},
		"BadIndex":      {"The server would refuse each batch.", "elasticsearch+https://s:9200/Logs", ""},
		"NoDialect":     {"It could be either.", "https://logs.example.com", ""},
		"Unknown":       {"There are two.", "syslog+https://logs.example.com", ""},
		"NoHost":        {"There is nobody to ask.", "loki+https:///x", ""},
		"Password":      {"What is on a command line is no secret.", "loki+https://a:secret@logs.example.com", ""},
		"Query":         {"It would be sent each time, and nobody says what for.", "loki+https://logs.example.com?x=y", ""},
		"Nonsense":      {"It is no URL.", "loki+https://a:secret@%zz", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, _, err := parse(tt.given)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("%s got %q, %v; want %q", tt.reason, got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a password: %v", err)
			}
		})
	}
}

// TestCredentials: they are read anew each time, go to the store only, and are told to nobody.
func TestCredentials(t *testing.T) {
	logs := newLogStore()
	server := httptest.NewServer(logs)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := EndpointOptions{URL: "loki+" + server.URL, CredentialsFile: file}
	if _, err := NewEndpoint(options); err == nil {
		t.Error("a file that does not exist is taken")
	}
	write("token-1\n")
	e, err := NewEndpoint(options)
	if err != nil {
		t.Fatal(err)
	}
	lines := []*entry{{source: &source{tenant: "a"}, time: start, text: "x"}}
	for text, want := range map[string]string{"token-2": "Bearer token-2", "me:secret": "Basic bWU6c2VjcmV0"} {
		write(text)
		if _, err := e.post(t.Context(), lines); err != nil || logs.auth != want {
			t.Errorf("it was sent %q, want %q; %v", logs.auth, want, err)
		}
	}
	write("")
	if _, err := e.post(t.Context(), lines); err == nil {
		t.Error("it is asked without credentials")
	}
}

// TestTroubles: what an answer means. None of it says what a line says.
func TestTroubles(t *testing.T) {
	tests := map[string]struct {
		reason string
		status int
		header http.Header
		kind   kind
		after  time.Duration
	}{
		"Refused":    {"It will never take it.", 400, nil, whole, 0},
		"TooLarge":   {"It may take a smaller one.", 413, nil, size, 0},
		"Limited":    {"It says when it will take more.", 429, http.Header{"Retry-After": {"7"}}, rate, 7 * time.Second},
		"FarOff":     {"Nobody waits for a day because a store says so.", 429, http.Header{"Retry-After": {"86400"}}, rate, maxRetryAfter},
		"Stranger":   {"A token that has expired is no reason to lose logs.", 401, nil, atStore, 0},
		"NotThere":   {"A proxy without its server is no reason to lose logs.", 404, nil, atStore, 0},
		"Elsewhere":  {"Credentials go nowhere else.", 307, http.Header{"Location": {"http://192.0.2.1/"}}, atStore, 0},
		"Restarting": {"It comes back.", 503, http.Header{"Retry-After": {"2"}}, atStore, 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			logs := newLogStore()
			logs.answer(func([]stored) (int, http.Header, []int) { return tt.status, tt.header, nil })
			e, err := NewEndpoint(EndpointOptions{URL: lokiURL, Transport: logs})
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.post(t.Context(), []*entry{{source: &source{tenant: "a"}, time: start, text: "confidential"}})
			var got *trouble
			if !errors.As(err, &got) || got.kind != tt.kind || got.after != tt.after {
				t.Errorf("%s got %+v", tt.reason, err)
			}
			if strings.Contains(got.what+got.detail, "confidential") {
				t.Errorf("it tells what a line says: %+v", got)
			}
		})
	}
}

// TestNoElasticsearch: what does not answer as one does has taken nothing.
func TestNoElasticsearch(t *testing.T) {
	for name, answer := range map[string]string{
		"Page": "<html>", "OtherJSON": "{}", "TooFew": `{"errors":true,"items":[{"create":{"status":201}}]}`,
		"NoIndex":  `{"errors":true,"items":[{"create":{"status":404}},{"create":{"status":404}}]}`,
		"ReadOnly": `{"errors":true,"items":[{"create":{"status":403}},{"create":{"status":429}}]}`,
		"Silent":   `{"errors":true,"items":[{},{}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := (elasticsearch{}).verdicts([]byte(answer), 2); err == nil {
				t.Errorf("got %v", got)
			}
		})
	}
}

// TestHalfAnAnswer: what Elasticsearch says nothing of was not taken.
func TestHalfAnAnswer(t *testing.T) {
	got, err := (elasticsearch{}).verdicts([]byte(`{"errors":true,"items":[{"create":{"status":201}},{}]}`), 2)
	if err != nil || len(got) != 2 || got[0] != accepted || got[1] != later {
		t.Errorf("got %v, %v, want that the second is to be sent again", got, err)
	}
}
