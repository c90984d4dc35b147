package servicespec

import (
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Defaults of a health check, as the schema has them.
const (
	defaultPeriodSeconds    = 10
	defaultTimeoutSeconds   = 5
	defaultFailureThreshold = 3
)

// The engine knows commands only. Both scripts run in the image's own shell and use what the image has. Proxies of the
// environment are for the outside world, not for the container's own port.
const (
	httpScript = `unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
if command -v curl >/dev/null 2>&1; then curl -fsS -m %[1]d -o /dev/null %[2]s || exit 1
elif command -v wget >/dev/null 2>&1; then wget -q -T %[1]d -O /dev/null %[2]s || exit 1
else echo 'the image has neither curl nor wget: use exec' >&2; exit 1; fi`

	tcpScript = `if command -v nc >/dev/null 2>&1; then nc -z -w %[1]d 127.0.0.1 %[2]d || exit 1
elif command -v bash >/dev/null 2>&1; then bash -c 'exec 3<>/dev/tcp/127.0.0.1/%[2]d' || exit 1
else echo 'the image has neither nc nor bash: use exec' >&2; exit 1; fi`
)

// healthCheck is nil when the image's own is to be used.
func (b *builder) healthCheck() *container.HealthConfig {
	h := b.t.HealthCheck
	if h == nil {
		return nil
	}
	if h.Disabled {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}

	return &container.HealthConfig{
		Test:        b.healthTest(h),
		Interval:    seconds(h.PeriodSeconds, defaultPeriodSeconds),
		Timeout:     seconds(h.TimeoutSeconds, defaultTimeoutSeconds),
		Retries:     int(orDefault(h.FailureThreshold, defaultFailureThreshold)),
		StartPeriod: seconds(h.StartPeriodSeconds, 0),
	}
}

func (b *builder) healthTest(h *v1alpha1.HealthCheck) []string {
	timeout := orDefault(h.TimeoutSeconds, defaultTimeoutSeconds)

	switch {
	case h.Exec != nil:
		return append([]string{"CMD"}, texts(h.Exec.Command)...)
	case h.HTTPGet != nil:
		path := h.HTTPGet.Path
		if path == "" {
			path = "/"
		}
		url := fmt.Sprintf("http://127.0.0.1:%d%s", h.HTTPGet.Port, path)

		return []string{"CMD-SHELL", fmt.Sprintf(httpScript, timeout, quote(url))}
	case h.TCPSocket != nil:
		return []string{"CMD-SHELL", fmt.Sprintf(tcpScript, timeout, h.TCPSocket.Port)}
	default:
		b.refuse("spec.healthCheck", "exactly one of exec, httpGet, tcpSocket and disabled: true must be set")

		return nil
	}
}

// quote makes one word of s for a shell, whatever s holds.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// seconds is a duration of that many seconds, or of the default.
func seconds(n *int32, def int32) time.Duration {
	return time.Duration(orDefault(n, def)) * time.Second
}
