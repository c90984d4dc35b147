//go:build conformance

package conformance

import (
	"strings"
	"testing"
)

// TestStreamsWithoutEngine is what kubectl tells when there is nobody who could be asked about a pod: why, and not that there
// is no pod.
func TestStreamsWithoutEngine(t *testing.T) {
	withKubectls(t, func(t *testing.T, k *kubectl) {
		for _, command := range []string{"logs web-1-abc", "exec web-1-abc -- env", "port-forward web-1-abc :80", "top pods"} {
			stdout, stderr, code := k.run("", strings.Fields(command)...)
			if code != 1 || !strings.Contains(stderr, "ServiceUnavailable") && !strings.Contains(stderr, "cannot be asked") && !strings.Contains(stderr, "does not answer") {
				t.Errorf("kubectl %s: code %d, %q and %q, want 1 and that the engine cannot be asked", command, code, stdout, stderr)
			}
		}
		stdout, _, code := k.run("", "api-resources", "--api-group=metrics.k8s.io", "-o", "name")
		if code != 0 || stdout != "nodes.metrics.k8s.io\npods.metrics.k8s.io\n" {
			t.Errorf("got code %d and %q, want the kinds of resource metrics", code, stdout)
		}
	})
}
