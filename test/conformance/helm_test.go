//go:build conformance

package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// chart is the example of how people pack containers for Helm.
const chart = "../../examples/helm/shop"

// TestHelm: a chart of our kinds is installed, upgraded, rolled back and uninstalled by a developer of a tenant. What Helm
// remembers of its releases is in Secrets of the tenant's own namespace.
func TestHelm(t *testing.T) {
	r := newRobot(t, developer)
	values := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(values, []byte("databasePassword: correct-horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	_, stderr, code := r.try("", "helm", "install", "shop", chart)
	if code == 0 {
		t.Error("a chart was installed without a value that it requires")
	}
	contains(t, "the refusal", stderr, "databasePassword must be set")

	r.run("helm", "install", "shop", chart, "-f", values)
	contains(t, "what was installed", r.run("kubectl", "get", "tenantcontainers,configmaps,secrets", "-o", "name", "-l", "app.kubernetes.io/instance=shop"),
		"tenantcontainer.dogker.io/shop-web", "configmap/shop-settings", "secret/shop-database")
	contains(t, "the release", r.run("kubectl", "get", "secrets", "-l", "owner=helm", "-o", "name"), "secret/sh.helm.release.v1.shop.v1")
	contains(t, "the list of releases", r.run("helm", "list"), "shop", "deployed", "shop-0.1.0")

	// Nothing has changed: what was there is written as it was, and rolls nothing.
	generation := r.get("tc/shop-web", ".metadata.generation")
	r.run("helm", "upgrade", "shop", chart, "-f", values)
	if got := r.get("tc/shop-web", ".metadata.generation"); got != generation {
		t.Errorf("an upgrade to the same moved the generation from %s to %s", generation, got)
	}

	r.run("helm", "upgrade", "shop", chart, "-f", values, "--set", "image.tag=1.5", "--set", "replicas=3", "--set", "settings.LOG_LEVEL=debug")
	spec := func() []string {
		return []string{r.get("tc/shop-web", ".spec.image"), r.get("tc/shop-web", ".spec.replicas"), r.get("cm/shop-settings", ".data.LOG_LEVEL")}
	}
	if diff := cmp.Diff([]string{"registry.example/shop:1.5", "3", "debug"}, spec()); diff != "" {
		t.Errorf("after the upgrade -want +got\n%s", diff)
	}

	r.run("helm", "rollback", "shop", "1")
	if diff := cmp.Diff([]string{"registry.example/shop:1.4", "1", "info"}, spec()); diff != "" {
		t.Errorf("after the rollback -want +got\n%s", diff)
	}
	if got := revisions(t, r); len(got) != 4 || got[3] != "Rollback to 1" {
		t.Errorf("the history is %q", got)
	}

	r.run("helm", "uninstall", "shop", "--wait=hookOnly")
	shared.release(t, r.namespace)
	await(t, "everything of the release is gone", func() bool {
		return r.run("kubectl", "get", "tenantcontainers,configmaps,secrets", "-o", "name", "-l", "app.kubernetes.io/instance=shop") == "" &&
			r.run("kubectl", "get", "secrets", "-o", "name", "-l", "owner=helm") == ""
	})
}

// revisions are the descriptions in the history of the release.
func revisions(t *testing.T, r *robot) []string {
	t.Helper()
	var history []struct{ Description string }
	if err := json.Unmarshal([]byte(r.run("helm", "history", "shop", "-o", "json")), &history); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range history {
		out = append(out, h.Description)
	}

	return out
}

// TestHelmRefusals: what the API refuses, Helm says with the field, and leaves nothing of it; and who may not, may not
// through Helm.
func TestHelmRefusals(t *testing.T) {
	r := newRobot(t, developer)
	set := []string{"shop", chart, "--set", "databasePassword=correct-horse"}
	for claim, tc := range map[string]struct {
		reason string
		args   []string
		says   []string
	}{
		"BadValue": {
			reason: "The schema of the chart's values is asked first.",
			args:   []string{"--set", "replicas=-1"}, says: []string{"/replicas", "minimum"},
		},
		"BadField": {
			reason: "What the chart lets through the API refuses.",
			args:   []string{"--set", "image.repository=UPPER CASE"}, says: []string{"spec.image", "UPPER CASE"},
		},
		"UnknownField": {
			reason: "A field that is not there is a typing error and no wish to be dropped.",
			args:   []string{"--set", "resources.limit.cpu=1"}, says: []string{"spec.resources.limit"},
		},
		"OtherNamespace": {
			reason: "A developer of one tenant is nobody in another.",
			args:   []string{"--namespace", "dogker-system"}, says: []string{"forbidden"},
		},
	} {
		t.Run(claim, func(t *testing.T) {
			stdout, stderr, code := r.try("", "helm", append(append([]string{"install"}, set...), tc.args...)...)
			if code == 0 {
				t.Errorf("%s It was installed:\n%s", tc.reason, stdout)
			}
			contains(t, tc.reason, stderr, tc.says...)
			if got := r.run("kubectl", "get", "tc", "-o", "name"); got != "" {
				t.Errorf("%s There is %s", tc.reason, got)
			}
			r.try("", "helm", "uninstall", "shop", "--ignore-not-found", "--wait=hookOnly")
		})
	}
}

// TestHelmWaits: --wait goes by the conditions, so that a release of which a container is not Ready fails in time and says
// which one; a release of nothing but settings is ready at once.
func TestHelmWaits(t *testing.T) {
	r := newRobot(t, developer)
	begin := time.Now()
	_, stderr, code := r.try("", "helm", "install", "shop", chart, "--set", "databasePassword=correct-horse", "--wait", "--timeout", "3s")
	if code == 0 || time.Since(begin) > soon {
		t.Errorf("without an engine no container becomes Ready: exit code %d after %s", code, time.Since(begin))
	}
	contains(t, "the error", stderr, "TenantContainer/"+r.namespace+"/shop-web")
	contains(t, "the state of the release", r.run("helm", "status", "shop"), "STATUS: failed")

	// What has failed is mended by the next upgrade, here to no container at all.
	r.run("kubectl", "delete", "tc", "shop-web", "--wait=false")
	shared.release(t, r.namespace)
	settings := filepath.Join(t.TempDir(), "settings")
	if err := os.CopyFS(settings, os.DirFS(chart)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(settings, "templates", "web.yaml")); err != nil {
		t.Fatal(err)
	}
	r.run("helm", "upgrade", "shop", settings, "--set", "databasePassword=correct-horse", "--wait", "--timeout", "20s")
	contains(t, "the state of the release", r.run("helm", "status", "shop"), "STATUS: deployed")
}

// TestHelmTemplate: who wants no releases renders, and applies with kubectl.
func TestHelmTemplate(t *testing.T) {
	r := newRobot(t, developer)
	rendered := r.run("helm", "template", "shop", chart, "--set", "databasePassword=correct-horse")
	for _, flags := range [][]string{{"--dry-run=server"}, {"--server-side"}, {"--server-side"}} {
		r.pipe(rendered, "kubectl", append([]string{"apply", "-f", "-"}, flags...)...)
	}
	if out, _, code := r.try(rendered, "kubectl", "diff", "--server-side", "-f", "-"); code != 0 {
		t.Errorf("what was applied differs from what was rendered: exit code %d\n%s", code, out)
	}
	if got := r.get("tc/shop-web", ".spec.image"); !strings.HasSuffix(got, "shop:1.4") {
		t.Errorf("the image is %q", got)
	}
}
