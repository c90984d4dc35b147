//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/lab"
)

// TestGoClient runs the example of a Go program: it declares, waits, scales, tells events and deletes.
func TestGoClient(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	program := filepath.Join(t.TempDir(), "go-client")
	if out, err := exec.Command("go", "build", "-o", program, examples+"/go-client").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	j := newJob(t, n.server.kubeconfig())
	live := fmt.Sprintf("%q -namespace %s -pull-policy Never -image ", program, n.name)

	out := j.run(live + lab.Image("v1"))
	at := 0
	for _, part := range []string{"/go-client created\n", "/go-client is Ready", "/go-client scaled to 2\n", "/go-client is Ready", "/go-client deleted\n"} {
		i := strings.Index(out[at:], part)
		if i < 0 {
			t.Fatalf("%q is missing, or out of order:\n%s", part, out)
		}
		at += i + len(part)
	}
	wantHolds(t, "what was told", out, "Normal ServiceCreated: ", "Normal ServiceUpdated: ")

	_, stderr, code := j.try(live + lab.Image("no-such-version") + " -timeout 10s")
	if code != 1 || !strings.Contains(stderr, "it says ") {
		t.Errorf("with an image that does not exist it ends with exit code %d: %s", code, stderr)
	}
	await(t, soon, "nothing is left of it", func() error { return n.noService("go-client") })
}

// TestHelmRuns: what a chart declares is Ready when helm install --wait comes back, and again after upgrade and rollback.
func TestHelmRuns(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	j := newJob(t, n.server.kubeconfig())
	j.env["PATH"] = tools(t) + ":" + j.env["PATH"]
	chart := example(t, "helm/shop")
	j.file("values.yaml", fmt.Sprintf(`
image: {repository: %s, tag: v1, pullPolicy: Never}
databasePassword: correct-horse
healthCheck: {httpGet: null, exec: {command: [/app, -check]}, periodSeconds: 1}
`, lab.Repository))
	helm := func(verb string) string {
		return fmt.Sprintf("helm %s --namespace %s --timeout 90s --wait", verb, n.name)
	}
	runs := func(version string) {
		t.Helper()
		for _, task := range n.running("shop-web") {
			if got, want := task.Spec.ContainerSpec.Image, n.imageID(version); got != want {
				t.Errorf("a task runs %s, want %s", got, want)
			}
		}
	}

	j.run(helm("install shop " + chart + " -f values.yaml"))
	n.wantReadyNow("shop-web")
	runs("v1")
	j.run(helm("upgrade shop " + chart + " -f values.yaml --set image.tag=v2 --set replicas=2"))
	n.wantReadyNow("shop-web")
	runs("v2")
	j.run(helm("rollback shop 1"))
	n.wantReadyNow("shop-web")
	runs("v1")
	j.run(helm("uninstall shop"))
	if _, err := n.read("shop-web"); err == nil {
		t.Error("helm uninstall --wait came back before the container was gone")
	}
}

// wantReadyNow is for whoever has waited already.
func (n *tenant) wantReadyNow(name string) {
	n.t.Helper()

	if err := n.isReady(name); err != nil {
		n.t.Error(err)
	}
}

// tools is where Helm is: where DOGKER_TOOLS says, or built now.
func tools(t *testing.T) string {
	t.Helper()

	if named := os.Getenv("DOGKER_TOOLS"); named != "" {
		return named
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-C", "../../hack/tools", "-o", dir+"/", "tool").CombinedOutput(); err != nil {
		t.Fatalf("build tools: %v\n%s", err, out)
	}

	return dir
}

// TestDogkerApplyRuns: dogker apply --wait comes back when everything is Ready, and prunes then; a version that does not become
// healthy fails it, says why, and takes nothing away.
func TestDogkerApplyRuns(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	j := newJob(t, n.server.kubeconfig())
	apply := "dogker apply -f deploy --set shop --prune --wait --timeout 90s --namespace " + n.name
	diff := "dogker diff -f deploy --set shop --prune --namespace " + n.name

	j.file("deploy/web.yaml", fmt.Sprintf(deployYAML, lab.Image("v1"), ""))
	j.file("deploy/old.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n")
	wantHolds(t, "the first run", j.run(apply), "tenantcontainer.dogker.io/web created\n", "everything is ready\n")
	n.wantReadyNow("web")
	if out := j.run(diff); out != "" {
		t.Errorf("what runs differs from what was applied:\n%s", out)
	}

	if err := os.Remove(filepath.Join(j.dir, "deploy", "old.yaml")); err != nil {
		t.Fatal(err)
	}
	j.file("deploy/web.yaml", fmt.Sprintf(deployYAML, lab.Image("v2"), "  env: [{name: APP_UNHEALTHY, value: \"true\"}]\n"))
	if _, stderr, code := j.try(apply); code != 1 || !strings.Contains(stderr, "deploy/web.yaml:1: TenantContainer/web: ") {
		t.Errorf("a version that is not healthy ends with exit code %d: %s", code, stderr)
	}
	j.run("kubectl get configmap old --namespace " + n.name)

	j.file("deploy/web.yaml", fmt.Sprintf(deployYAML, lab.Image("v2"), ""))
	if _, _, code := j.try(diff); code != 2 {
		t.Errorf("a difference ends with exit code %d", code)
	}
	wantHolds(t, "the next run", j.run(apply), "tenantcontainer.dogker.io/web configured\n", "configmap/old deleted\neverything is ready\n")
	n.wantReadyNow("web")
}
