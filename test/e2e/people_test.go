//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// person is somebody at a terminal of their own: with a home directory, and with no file of the administrator's but the
// certificate that they were given.
type person struct {
	*cell

	t              *testing.T
	name, password string
	home           string
}

// run runs dogker as the person would, and gives it the password when it asks for one.
func (p *person) run(args ...string) (string, error) {
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"HOME=" + p.home, "KUBECONFIG=" + filepath.Join(p.home, "config"), "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(strings.Repeat(p.password+"\n", 2))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, &out)
	}

	return out.String(), nil
}

// kubectl is what the person types after the log-in. It must work.
func (p *person) kubectl(args ...string) string {
	p.t.Helper()

	out, err := p.run(append([]string{"kubectl"}, args...)...)
	if err != nil {
		p.t.Fatal(err)
	}

	return out
}

// onboard is a command that names the server.
func (p *person) onboard(command string, more ...string) (string, error) {
	args := []string{
		command, p.server.address, "--username", p.name, "--password-stdin",
		"--certificate-authority", filepath.Join(p.server.dataDir, "pki", "ca.crt"),
	}

	return p.run(append(args, more...)...)
}

// TestPersonRunsAContainer goes the way of somebody new, as the guides tell it: she registers, is let in, is a member of
// a tenant, logs in, runs a container on the swarm, and is out again once she is no member any more.
func TestPersonRunsAContainer(t *testing.T) {
	t.Parallel()

	c := newCell(t, lab.Options{}, "--registration", "approval")
	n, tenant := c.declared(t, "crew") // Ada is its owner, whether there is such a person or not.
	ada := &person{cell: c, t: t, name: "ada", password: "seven green bottles on a wall", home: t.TempDir()}

	if _, err := ada.onboard("register", "--email", "ada@example.com"); err != nil {
		t.Fatal(err)
	}
	if out, err := ada.onboard("login"); err == nil {
		t.Fatalf("somebody who waits for approval has logged in: %s", out)
	}
	n.kubectl("patch", "user", "ada", "--type", "merge", "-p", `{"spec":{"access":"Granted"}}`)
	await(t, soon, "ada can log in", func() error {
		_, err := ada.onboard("login", "--namespace", "crew")
		return err
	})

	if out := ada.kubectl("auth", "whoami"); !strings.Contains(out, "ada") {
		t.Errorf("whoami says %s", out)
	}
	if out := ada.kubectl("auth", "can-i", "create", "tenantcontainers"); strings.TrimSpace(out) != "yes" {
		t.Errorf("in her own namespace: got %q, want yes", out)
	}
	if out, err := ada.run("kubectl", "auth", "can-i", "get", "tenantcontainers", "-n", "default"); err == nil || strings.TrimSpace(out) != "no" {
		t.Errorf("in a namespace that is not hers: got %q, error %v, want no", out, err)
	}

	ada.kubectl("apply", "-f", n.manifest(fmt.Sprintf(`apiVersion: dogker.io/v1alpha1
kind: TenantContainer
metadata: {name: web}
spec:
  image: %s
  imagePullPolicy: Never
  ports: [{name: http, containerPort: 8080}]
`, lab.Image("v1"))))
	ada.kubectl("wait", "--for=condition=Ready", "--timeout=90s", "tc/web")
	if body, err := n.neighbour().ask("web", "/"); err != nil || !strings.Contains(body, "version=v1") {
		t.Errorf("her container: got %q, error %v", body, err)
	}
	if out := ada.kubectl("get", "tc", "web"); !strings.Contains(out, "1/1") {
		t.Errorf("her container: got %s", out)
	}
	c.wantAudited(t, `"username":"ada"`, `"verb":"create"`, `"resource":"tenantcontainers"`, `"namespace":"crew"`)

	c.dismiss(t, tenant.Name)
	await(t, soon, "ada is out", func() error {
		out, err := ada.run("kubectl", "get", "tc")
		if err == nil || !strings.Contains(err.Error(), "Forbidden") {
			return fmt.Errorf("she gets %q, error %v", out, err)
		}

		return nil
	})
	n.ready("web") // What runs does not depend on who started it.
}

// dismiss takes all members out of a tenant.
func (c *cell) dismiss(t *testing.T, name string) {
	t.Helper()

	var owner v1alpha1.Tenant
	if err := c.api.Get(t.Context(), client.ObjectKey{Name: name}, &owner); err != nil {
		t.Fatal(err)
	}
	before := owner.DeepCopy()
	owner.Spec.Members = nil
	if err := c.api.Patch(t.Context(), &owner, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// wantAudited wants one line of the audit log that holds all the words.
func (c *cell) wantAudited(t *testing.T, words ...string) {
	t.Helper()

	files, err := filepath.Glob(filepath.Join(c.server.dataDir, "audit", "*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no audit log: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			all := true
			for _, word := range words {
				all = all && strings.Contains(line, word)
			}
			if all {
				return
			}
		}
	}
	t.Errorf("no line of the audit log says %v", words)
}
