//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
)

// run runs the binary, and is its output; a failure ends the test.
func (c *cell) run(t *testing.T, args ...string) string {
	t.Helper()

	out, err := exec.Command(binary, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("dogker %v: %v\n%s", args, err, out)
	}

	return string(out)
}

// backUp makes a backup of the server while it runs. putBack stops the server, gives it a new data directory with what was backed up, and
// starts it.
func (c *cell) backUp(t *testing.T) (putBack func()) {
	t.Helper()

	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file, key := filepath.Join(c.dir, "backup.age"), filepath.Join(c.dir, "backup.key")
	if err := os.WriteFile(key, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run(t, "backup", "--data-dir", c.server.dataDir, "--recipient", identity.Recipient().String(), "--output", file)

	return func() {
		t.Helper()

		if err := c.server.kill(); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(c.server.dataDir, c.server.dataDir+".lost"); err != nil {
			t.Fatal(err)
		}
		c.run(t, "restore", file, "--identity", key, "--data-dir", c.server.dataDir)
		if err := c.start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBackup backs a server up while it runs, goes on with it, loses its data directory, and restores it: what was backed up
// is there and runs on, untouched; what was changed is changed back; what came later goes; and everything can be changed again.
func TestBackup(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{})
	n := c.namespace(t, "shop")
	n.create(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db"}, StringData: map[string]string{"password": "correct horse"}})
	n.create(app("kept", "v1", func(tc *v1alpha1.TenantContainer) {
		tc.Spec.Env = []v1alpha1.EnvVar{{Name: "PASSWORD", ValueFrom: &v1alpha1.EnvVarSource{SecretKeyRef: &v1alpha1.KeySelector{Name: "db", Key: "password"}}}}
	}))
	n.create(app("web", "v1"))
	n.ready("kept")
	n.ready("web")
	kept := n.service("kept")

	putBack := c.backUp(t)

	// What the backup knows nothing of: generations that it has not seen yet, and a container.
	for _, v := range []string{"v2", "v1", "v2"} {
		n.edit("web", version(v))
		n.ready("web")
	}
	n.run(app("late", "v1"))

	putBack()

	n.ready("kept")
	if err := n.unmoved(kept); err != nil {
		t.Errorf("what was backed up and runs: %v", err)
	}
	await(t, atLast, "Swarm is what the backup declares", func() error {
		tc, err := n.read("web")
		if err != nil {
			return err
		}

		return errors.Join(wantf(tc.Status.Tasks, "1/1", "tasks of web"), wantf(tc.Status.Image.Requested, string(app("web", "v1").Spec.Image), "image of web"), n.noService("late"))
	})
	var secret corev1.Secret
	if err := n.api.Get(t.Context(), client.ObjectKey{Namespace: n.name, Name: "db"}, &secret); err != nil || string(secret.Data["password"]) != "correct horse" {
		t.Errorf("the Secret holds %q, error %v, want what it held", secret.Data["password"], err)
	}

	n.edit("web", version("v2"))
	n.ready("web")
	before := time.Now()
	stays(t, 5*time.Second, "nothing is written any more", func() error { return wantf(len(c.meter.since(before)), 0, "writes to the engine") })
}
