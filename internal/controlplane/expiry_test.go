package controlplane

import (
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/internal/controlplane/pki"
)

// TestExpiry: each certificate is shown as its file says, and one that cannot be read not at all.
func TestExpiry(t *testing.T) {
	now := time.Now()
	certs, err := pki.Ensure(t.TempDir(), []string{"localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if got := testutil.CollectAndCount(expiry{certs}); got != 3 {
		t.Errorf("%d certificates are shown, want 3", got)
	}
	raw, err := os.ReadFile(certs.ServerFile)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := endOf(raw)
	if left := time.Unix(int64(at), 0).Sub(now); !ok || left < 300*24*time.Hour || left > 400*24*time.Hour {
		t.Errorf("the server's certificate lasts for %v, want about a year", left)
	}

	if err := os.Remove(certs.ServerFile); err != nil {
		t.Fatal(err)
	}
	if got := testutil.CollectAndCount(expiry{certs}); got != 2 {
		t.Errorf("%d certificates are shown, want those that can be read", got)
	}
}
