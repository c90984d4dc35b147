package agent

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answers gives the same answer to every request, again and again.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(&again{text: string(a)})}, nil
}

type again struct{ text, rest string }

func (a *again) Read(p []byte) (int, error) {
	if a.rest == "" {
		a.rest = a.text
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]

	return n, nil
}

// TestBounded is that a node cannot have the server read without an end what it takes into memory.
func TestBounded(t *testing.T) {
	const much = 2 * maxAnswer

	for name, tc := range map[string]struct {
		reason, path, answer string
		want                 error
	}{
		"Inspect": {"An object is read as a whole.", "/v1.41/containers/a/json", strings.Repeat("x", 4096), errTooLong},
		"Event":   {"So is an event.", "/v1.41/events", strings.Repeat("x", 4096), errTooLong},
		"Events":  {"There may be any number of those.", "/v1.41/events", "{}\n", nil},
		"Logs":    {"Logs are passed on as they come.", "/v1.41/containers/a/logs", strings.Repeat("x", 4096), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequest(http.MethodGet, "http://engine"+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := bounded{answers(tc.answer)}.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if n, err := io.CopyN(io.Discard, resp.Body, much); !errors.Is(err, tc.want) || tc.want != nil && n > maxAnswer {
				t.Errorf("%s\ngot %d bytes and %v, want the error %v", tc.reason, n, err, tc.want)
			}
		})
	}
}
