//go:build conformance

package conformance

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// overlay is the example of how people keep the same containers in several shapes.
const overlay = "../../examples/kustomize/overlays/production"

// TestKustomize: an overlay of our kinds comes to the same through kustomize, kubectl -k and dogker apply; its transformers
// find images, replicas and names; a strategic merge patch merges maps and replaces lists, and a JSON patch changes an item.
func TestKustomize(t *testing.T) {
	apply := map[string]func(r *robot){
		"Kustomize": func(r *robot) {
			r.pipe(r.run("kustomize", "build", overlay), "kubectl", "apply", "--server-side", "-f", "-")
		},
		"Kubectl":           func(r *robot) { r.run("kubectl", "apply", "-k", overlay) },
		"KubectlServerSide": func(r *robot) { r.run("kubectl", "apply", "--server-side", "-k", overlay) },
		"Dogker":            func(r *robot) { r.run("dogker", "apply", "-f", overlay, "--set", "shop", "--prune") },
	}
	for name, apply := range apply {
		t.Run(name, func(t *testing.T) {
			r := newRobot(t, developer)
			apply(r)
			settings := r.get("tc/prod-web", ".spec.envFrom[0].configMapRef.name")
			if !regexp.MustCompile(`^prod-settings-[a-z0-9]{10}$`).MatchString(settings) {
				t.Errorf("the container refers to the ConfigMap %q", settings)
			}
			got := map[string]string{"level": r.get("cm/"+settings, ".data.LOG_LEVEL")}
			for what, path := range map[string]string{
				"image": ".spec.image", "replicas": ".spec.replicas", "dependsOn": ".spec.dependsOn[*].name", "ports": ".spec.ports[*].name",
				"env": ".spec.env[*].value", "cpu": ".spec.resources.limits.cpu", "health": ".spec.healthCheck.httpGet.path", "part of": `.metadata.labels.app\.kubernetes\.io/part-of`,
			} {
				got[what] = r.get("tc/prod-web", path)
			}
			want := map[string]string{
				"level": "warn", "image": "registry.example/shop/web:1.5", "replicas": "3", "dependsOn": "prod-cache", "ports": "http metrics",
				"env": "8080 good day", "cpu": "1", "health": "/healthz", "part of": "shop",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}

			// The second time nothing moves.
			before := r.get("tc/prod-web", ".metadata.generation")
			apply(r)
			if after := r.get("tc/prod-web", ".metadata.generation"); after != before {
				t.Errorf("applying the same moved the generation from %s to %s", before, after)
			}
		})
	}
}

// TestMergeOfLists: what the three kinds of patches do to a list of our kinds, as docs/guides/kustomize.md says.
func TestMergeOfLists(t *testing.T) {
	r := newRobot(t, developer)
	r.pipe(tenantContainer("web", `env: [{name: A, value: "1"}, {name: B, value: "2"}]`), "kubectl", "apply", "--server-side", "--field-manager", "first", "-f", "-")
	env := func() string { return r.get("tc/web", ".spec.env[*].name") }

	// Server-side apply knows the keys of lists: two managers can have items of one list.
	r.pipe(tenantContainer("web", `env: [{name: C, value: "3"}]`), "kubectl", "apply", "--server-side", "--field-manager", "second", "-f", "-")
	if got := env(); got != "A B C" {
		t.Errorf("after a second manager's apply the variables are %q", got)
	}
	_, stderr, code := r.try("", "kubectl", "patch", "tc", "web", "--type", "strategic", "-p", `{"spec":{"env":[{"name":"B","value":"4"}]}}`)
	if code == 0 || !strings.Contains(stderr, "strategic-merge-patch+json is not supported") {
		t.Errorf("a strategic merge patch by the API ended with exit code %d: %s", code, stderr)
	}
	r.run("kubectl", "patch", "tc", "web", "--type", "json", "-p", `[{"op":"test","path":"/spec/env/1/name","value":"B"},{"op":"replace","path":"/spec/env/1/value","value":"4"}]`)
	if got := r.get("tc/web", ".spec.env[*].value"); got != "1 4 3" {
		t.Errorf("after a JSON patch the values are %q", got)
	}
	r.run("kubectl", "patch", "tc", "web", "--type", "merge", "-p", `{"spec":{"env":[{"name":"B","value":"5"}]}}`)
	if got := env(); got != "B" {
		t.Errorf("after a merge patch the variables are %q", got)
	}
}
