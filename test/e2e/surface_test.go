//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/lab"
)

// webYAML is what a user types, and a little more than the least.
const webYAML = `
apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata:
  name: web
spec:
  image: %s
  imagePullPolicy: Never
  replicas: 2
  terminationGracePeriodSeconds: 5
  ports: [{name: http, containerPort: 8080}]
`

// TestKubectl leads one container through its life with nothing but kubectl.
func TestKubectl(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	v1 := n.manifest(fmt.Sprintf(webYAML, lab.Image("v1")))
	v2 := n.manifest(fmt.Sprintf(webYAML, lab.Image("v2")))

	n.kubectl("apply", "-f", v1)
	n.kubectl("wait", "--for=condition=Ready", "--timeout=90s", "tc/web")
	if out, err := n.tryKubectl("diff", "-f", v1); err != nil {
		t.Errorf("diff after apply: %v\n%s", err, out)
	}

	wantColumns(t, n.kubectl("get", "tc"), []string{"NAME", "READY", "STATUS", "TASKS", "IMAGE", "REVISION", "AGE"},
		[]string{"web", "True", "Running", "2/2", lab.Image("v1"), "1"})
	wantHolds(t, "describe", n.kubectl("describe", "tc", "web"), "ServiceCreated", "Created service", "Resolved:")

	n.kubectl("scale", "tc/web", "--replicas=3")
	n.kubectl("wait", "--for=condition=Ready", "--timeout=90s", "tc/web")
	if got := *n.service("web").Spec.Mode.Replicated.Replicas; got != 3 {
		t.Errorf("replicas of the service after kubectl scale: got %d, want 3", got)
	}

	n.kubectl("apply", "-f", v2)
	n.kubectl("wait", "--for=condition=Ready", "--timeout=90s", "tc/web")
	for _, task := range n.running("web") {
		if got, want := task.Spec.ContainerSpec.Image, n.imageID("v2"); got != want {
			t.Errorf("image of task %s: got %s, want %s", task.ID, got, want)
		}
	}
	wantColumns(t, n.kubectl("get", "rev"), []string{"NAME", "CONTAINER", "REVISION", "OUTCOME", "IMAGE", "CAUSE", "AGE"},
		[]string{"web-2", "web", "2", "Complete", lab.Image("v2")})

	n.kubectl("delete", "tc", "web", "--timeout=60s")
	if err := n.noService("web"); err != nil {
		t.Errorf("after kubectl delete has returned: %v", err)
	}
}

// TestKubectlInside does the same few steps with the kubectl that is in the binary.
func TestKubectlInside(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)

	for _, args := range [][]string{
		{"apply", "--server-side", "-f", n.manifest(fmt.Sprintf(webYAML, lab.Image("v1")))},
		{"wait", "--for=condition=Ready", "--timeout=90s", "tc/web"},
		{"get", "dogker"},
		{"delete", "tc", "web"},
	} {
		if out, err := n.dogker(append([]string{"kubectl", "--namespace", n.name}, args...)...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// imageID is what the engine calls a version of the lab's image.
func (n *tenant) imageID(version string) string {
	n.t.Helper()

	id, err := n.lab.ImageID(n.t.Context(), version)
	if err != nil {
		n.t.Fatal(err)
	}

	return id
}

// wantColumns holds a table of kubectl against its header and one of its rows, which is given by its first cells.
func wantColumns(t *testing.T, table string, header, row []string) {
	t.Helper()

	lines := strings.Split(strings.TrimSpace(table), "\n")
	if got := strings.Fields(lines[0]); !slices.Equal(got, header) {
		t.Errorf("columns: got %q, want %q", got, header)
	}
	for _, line := range lines[1:] {
		if got := strings.Fields(line); len(got) >= len(row) && slices.Equal(got[:len(row)], row) {
			return
		}
	}
	t.Errorf("no row begins with %q in\n%s", row, table)
}

// wantHolds is for texts that people read.
func wantHolds(t *testing.T, what, text string, words ...string) {
	t.Helper()

	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q:\n%s", what, w, text)
		}
	}
}
