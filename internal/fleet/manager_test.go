package fleet

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"
)

func TestManagerOptions(t *testing.T) {
	tests := map[string]struct {
		reason string
		given  LogOptions
		want   container.LogsOptions
	}{
		"All": {
			reason: "Without a number of lines all are wanted.",
			given:  LogOptions{Stderr: true, Follow: true, Tail: -1},
			want:   container.LogsOptions{ShowStderr: true, Follow: true, Tail: "all"},
		},
		"FromANanosecondOn": {
			reason: "Who goes on where a log was left needs the whole time.",
			given:  LogOptions{Stdout: true, Timestamps: true, Since: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Tail: 3},
			want:   container.LogsOptions{ShowStdout: true, Timestamps: true, Since: "2026-01-02T03:04:05.000000006Z", Tail: "3"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, forEngine(tt.given)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}
