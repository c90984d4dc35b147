package main

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHello(t *testing.T) {
	cases := map[string]struct {
		reason  string
		env     map[string]string
		says    string
		healthy bool
	}{
		"Plain": {
			reason:  "Without any environment it still answers.",
			says:    "Hello from version unknown on ",
			healthy: true,
		},
		"Version": {
			reason:  "The images of the tutorial differ in nothing else.",
			env:     map[string]string{"HELLO_VERSION": "2", "HELLO_GREETING": "Good day"},
			says:    "Good day from version 2 on ",
			healthy: true,
		},
		"Broken": {
			reason: "The version that must be rolled back starts, and then fails its health check.",
			env:    map[string]string{"HELLO_VERSION": "3", "HELLO_BROKEN": "true"},
			says:   "Hello from version 3 on ",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler(func(key string) string { return tc.env[key] }))
			defer server.Close()

			resp, err := server.Client().Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()

			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}

			if !strings.HasPrefix(string(body), tc.says) {
				t.Errorf("%s\nit says %q, want it to begin with %q", tc.reason, body, tc.says)
			}

			err = askHealth(t.Context(), strings.TrimPrefix(server.URL, "http://"))
			if (err == nil) != tc.healthy {
				t.Errorf("%s\ncheck says %v, want healthy to be %v", tc.reason, err, tc.healthy)
			}
		})
	}
}

func TestCheckNeedsAnAnswer(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()

	if err := askHealth(t.Context(), strings.TrimPrefix(server.URL, "http://")); err == nil {
		t.Error("a server that is gone passed the check")
	}
}
