package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/logship"
)

// TestLogshipFlags: what is wrong is named with its flag and its value.
func TestLogshipFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("token"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		reason  string
		options logship.EndpointOptions
		want    []string
		off     bool
	}{
		"Off":           {"Nothing is shipped unless somebody asks for it.", logship.EndpointOptions{}, nil, true},
		"On":            {"A URL is enough.", logship.EndpointOptions{URL: "loki+https://logs.example.com", CredentialsFile: file}, nil, false},
		"WithoutURL":    {"Credentials alone do nothing.", logship.EndpointOptions{CredentialsFile: file}, []string{"--log-ship-credentials-file needs --log-ship-url"}, true},
		"BadURL":        {"Which store it is has to be said.", logship.EndpointOptions{URL: "https://logs.example.com"}, []string{"--log-ship-url: ", "https://logs.example.com", "loki+https"}, true},
		"NoCredentials": {"A file that is missing is found at the start.", logship.EndpointOptions{URL: "loki+https://a", CredentialsFile: "/nowhere"}, []string{"--log-ship-credentials-file: ", "/nowhere"}, true},
		"NoAuthority":   {"A token is no certificate.", logship.EndpointOptions{URL: "loki+https://a", CAFile: file}, []string{"--log-ship-ca-file: ", file}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := logshipFlags{tt.options}
			got, err := f.endpoint()
			if (err != nil) != (tt.want != nil) || (got == nil) != tt.off {
				t.Fatalf("%s got %v, %v", tt.reason, got, err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}
