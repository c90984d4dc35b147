//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kubectl runs kubectl in the namespace and returns what it printed. It is the one in PATH, or else the one inside dogker.
func (n *tenant) kubectl(args ...string) string {
	n.t.Helper()

	out, err := n.tryKubectl(args...)
	if err != nil {
		n.t.Fatal(err)
	}

	return out
}

func (n *tenant) tryKubectl(args ...string) (string, error) {
	name, first := "kubectl", []string{"--namespace", n.name}
	if _, err := exec.LookPath(name); err != nil {
		name, first = binary, append([]string{"--data-dir", n.server.dataDir, "kubectl"}, first...)
	}

	return n.command(name, append(first, args...)...)
}

// dogker runs the binary under test.
func (n *tenant) dogker(args ...string) (string, error) {
	return n.command(binary, append([]string{"--data-dir", n.server.dataDir}, args...)...)
}

func (c *cell) command(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.server.kubeconfig(), "HOME="+c.dir, "DOCKER_HOST="+c.server.engine)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w: %s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}

	return stdout.String(), nil
}

// manifest writes YAML to a file and returns its path.
func (n *tenant) manifest(yaml string) string {
	n.t.Helper()

	file := filepath.Join(n.t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		n.t.Fatal(err)
	}

	return file
}
