package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestUseKubeconfig says which kubeconfig the embedded kubectl uses.
func TestUseKubeconfig(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "admin.kubeconfig")
	cases := map[string]struct {
		reason string
		env    string
		args   []string
		want   string
	}{
		"Nothing":      {reason: "It belongs to this server.", args: []string{"get", "tc"}, want: own},
		"Environment":  {reason: "The caller has named another.", env: "/other", args: []string{"get", "tc"}, want: "/other"},
		"Flag":         {reason: "The caller has named another.", args: []string{"get", "tc", "--kubeconfig", "/other"}},
		"FlagAndValue": {reason: "The caller has named another.", args: []string{"--kubeconfig=/other", "get", "tc"}},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", tc.env)
			useKubeconfig(dir, tc.args)
			if got := os.Getenv("KUBECONFIG"); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}
