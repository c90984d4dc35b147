package main

import (
	"log/slog"
	"strings"
	"testing"
)

func TestHookFlagsRefuse(t *testing.T) {
	f := hookFlags{trustedProxies: []string{"10.0.0.0/8", "proxy"}}

	want := `--git-webhook-trusted-proxies: "proxy" must be an address or a range, such as 10.0.0.0/8`
	if h, err := f.receiver(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, %v; want %s", h, err, want)
	}
}
