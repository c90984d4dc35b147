package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-logr/logr"
)

// TestQuieter: Kubernetes' libraries are heard when they have something to say to whoever runs Dogker.
func TestQuieter(t *testing.T) {
	boom := errors.New("boom")
	cases := map[string]struct {
		reason string
		say    func(logr.Logger)
		want   string
	}{
		"Info":     {reason: "What they call informational is detail.", say: func(l logr.Logger) { l.Info("Caches are synced") }},
		"Error":    {reason: "An error is an error.", say: func(l logr.Logger) { l.Error(boom, "Failed to watch") }, want: "level=ERROR msg=\"Failed to watch\" err=boom"},
		"Canceled": {reason: "Whoever was told to stop has not failed.", say: func(l logr.Logger) { l.Error(fmt.Errorf("get: %w", context.Canceled), "Failed to watch") }},
		"Usual":    {reason: "What is said on every first start warns of nothing.", say: func(l logr.Logger) { l.Error(boom, "Error while syncing ConfigMap") }},
		"Leaves":   {reason: "Who closes kubectl has done nothing wrong.", say: func(l logr.Logger) { l.Error(boom, "Error on socket receive") }},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tc.say(logr.FromSlogHandler(quieter{slog.NewTextHandler(&out, nil)}))
			if got := out.String(); (tc.want == "") != (got == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s\ngot %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestLogFlags(t *testing.T) {
	for name, tc := range map[string]struct {
		flags logFlags
		err   string
	}{
		"UnknownLevel":  {logFlags{format: "text", level: "loud"}, `--log-level "loud" must be debug, info, warn or error`},
		"UnknownFormat": {logFlags{format: "xml", level: "info"}, `--log-format "xml" must be text or json`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tc.flags.logger(&bytes.Buffer{}); err == nil || err.Error() != tc.err {
				t.Errorf("got %v, want %s", err, tc.err)
			}
		})
	}
}
