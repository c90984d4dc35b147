//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestBackupBeforeMove restores a backup of the time before a Volume has moved. The record says that the data is where nothing is any more; what
// runs goes on with the data where that is, no engine makes an empty volume, and the record becomes right.
func TestBackupBeforeMove(t *testing.T) {
	t.Parallel()
	c := cellWithAgents(t, 2)
	n := c.namespace(t, "putback")
	t.Cleanup(n.diagnoseFailure)
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	before := n.volumeSays("data", "")
	name, from := volume.Name(before), before.Status.Node.Hostname
	to := map[string]string{"node1": "node2", "node2": "node1"}[from]
	heap(t, n.directory(n.node(from), name), "moved", 1<<20)
	want := n.tree(n.node(from), name)
	putBack := c.backUp(t)

	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.Node = to })
	await(t, goneBy, "the Volume lives on "+to, func() error {
		v := n.volume("data")
		if v.Status.Move != nil || v.Status.Node.Hostname != to {
			return fmt.Errorf("it is on %+v, move %+v, %+v", v.Status.Node, v.Status.Move, conditions.Get(v, conditions.Ready))
		}

		return nil
	})
	n.ready("db")
	settled := n.settled("db")
	tasks := n.taskIDs("db")

	putBack()
	await(t, goneBy, "the record says where the data is", func() error {
		v := n.volume("data")
		if ready := conditions.Get(v, conditions.Ready); !conditions.IsTrue(v, conditions.Ready) || v.Status.Node.Hostname != to || v.Status.Restores == nil || *v.Status.Restores != 1 {
			return fmt.Errorf("it is on %+v after %v restores of the store, and says %+v", v.Status.Node, v.Status.Restores, ready)
		}

		return nil
	})
	if v := n.volume("data"); v.Spec.Node != "" || volume.Name(v) != name {
		t.Errorf("it has %q and is wished on %q, want %q and the spec of the backup", volume.Name(v), v.Spec.Node, name)
	}
	n.ready("db")
	stays(t, 3*time.Second, "the container goes on", func() error {
		if now := n.taskIDs("db"); !maps.Equal(now, tasks) {
			return fmt.Errorf("the tasks are %v, and were %v", now, tasks)
		}

		return n.unmoved(settled)
	})
	if err := sameTree(n.tree(n.node(to), name), want); err != nil {
		t.Errorf("the data on %s is not what it was: %v", to, err)
	}
	await(t, soon, "nothing was made elsewhere", func() error { return n.untidy("", map[string]int{to: 1}) })
}
