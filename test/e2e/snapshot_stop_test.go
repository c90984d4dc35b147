//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestServerStopsWhileContainersAreFrozen stops a server in good order while it reads a volume whose containers are frozen for that:
// they run again before it is gone. One that is killed then leaves them, and the next one lets them go.
func TestServerStopsWhileContainersAreFrozen(t *testing.T) {
	t.Parallel()
	c := newCell(t, lab.Options{Nodes: 1})
	n := c.namespace(t, "stopped")
	t.Cleanup(n.diagnoseFailure)
	archives := n.archives(t, "place")
	data := volumeNamed("data", "")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause}
	n.create(data)
	n.run(app("db", "v1", mounting("data")))

	// Holes take no room and are read like everything else, for longer than this test takes.
	sparse := filepath.Join(n.directory(n.lab.Nodes[0], volume.Name(n.volume("data"))), "sparse")
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, end := range []func() error{n.server.stop, n.server.kill} {
		if err := os.Truncate(sparse, 1<<40); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("snapshot-%d", i)
		n.create(snapshotOf(name, "data", "place"))
		await(t, atLast, "the container is frozen", func() error {
			if n.frozen() == 0 {
				return errors.New("nothing is frozen")
			}

			return nil
		})
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if frozen := n.frozen(); i == 0 && frozen > 0 {
			t.Errorf("the server has stopped, and %d containers are frozen", frozen)
		}

		if err := os.Truncate(sparse, 1<<20); err != nil {
			t.Fatal(err)
		}
		if err := n.server.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		n.saved(name)
		await(t, soon, "nothing is frozen", func() error { return n.untidy(archives, map[string]int{"node1": 1}) })
		n.ready("db")
	}
}

// frozen is how many containers of the namespace are.
func (n *tenant) frozen() (count int) {
	n.t.Helper()

	ctx, cancel := contextFor(instant)
	defer cancel()
	all, err := n.lab.Nodes[0].Docker.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		n.t.Fatal(err)
	}
	for i := range all {
		if all[i].State == container.StatePaused && strings.HasPrefix(all[i].Labels["com.docker.swarm.service.name"], n.name+"_") {
			count++
		}
	}

	return count
}
