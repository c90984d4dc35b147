//go:build e2e

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// How often a server is killed in the middle of work with data, and how often when DOGKER_LONG is set.
const (
	dataKills     = 8
	longDataKills = 30
)

// survivor is a namespace whose server is killed while its data is saved, restored, moved and deleted.
type survivor struct {
	*tenant

	dice     *rand.Rand
	archives string
	// want is what is in Volume "data" now, and saved what was in it when the snapshot of that name was made.
	want  map[string]string
	saved map[string]map[string]string
	// last is the newest snapshot, and kills are how many there were.
	last  string
	kills int
}

// TestDataIsWholeAfterKills kills the server at points of chance of snapshots, restores, moves and deletions. Each of them is
// brought to its end by who comes after; no byte is lost, and nothing is left over, on no node and not in the place of archives.
func TestDataIsWholeAfterKills(t *testing.T) {
	t.Parallel()
	c := cellWithAgents(t, 2)
	n := &survivor{tenant: c.namespace(t, "survivor"), dice: rand.New(rand.NewPCG(6, uint64(time.Now().UnixNano()))), saved: map[string]map[string]string{}} //nolint:gosec // chance, not secrecy
	t.Cleanup(n.diagnoseFailure)
	n.archives = n.tenant.archives(t, "place")
	data := volumeNamed("data", "node1")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause}
	n.create(data)
	n.run(app("db", "v1", mounting("data")))
	heap(t, n.home(), "survivor", 8<<20)

	rounds := dataKills
	if os.Getenv("DOGKER_LONG") != "" {
		rounds = longDataKills
	}
	for i := 0; n.kills < rounds; i++ {
		n.round(i)
	}

	n.tenant.t.Logf("the server was killed %d times", n.kills)
	n.endsTidily(n.archives)
}

// round changes the data, begins one operation, kills in the middle of it, and wants it to have ended well.
func (n *survivor) round(i int) {
	n.t.Helper()

	if err := os.WriteFile(filepath.Join(n.home(), "round"), fmt.Appendf(nil, "%d", i), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.want = n.tree(n.lives(), n.engineName())

	var end func()
	what := []string{"snapshot", "move", "restore", "delete"}[i%4]
	switch what {
	case "snapshot":
		end = n.snapshots(fmt.Sprintf("round-%d", i))
	case "move":
		end = n.goes()
	case "restore":
		end = n.goesBack()
	case "delete":
		end = n.deletes(fmt.Sprintf("extra-%d", i))
	}
	began := time.Now()
	n.killed()
	// Who comes after may be killed in the middle of it as well.
	if n.dice.IntN(2) == 0 {
		n.killed()
	}
	end()
	n.ready("db")
	if err := sameTree(n.tree(n.lives(), n.engineName()), n.want); err != nil {
		n.t.Errorf("round %d: after a kill during a %s the data is not what it was: %v", i, what, err)
	}
	await(n.t, atLast, "nothing is left over of a "+what, func() error {
		return n.untidy(n.archives, map[string]int{n.lives().Name: 1})
	})
	n.t.Logf("round %d: a %s ended %v after it was begun", i, what, time.Since(began).Round(time.Millisecond))
}

// killed lets some time pass, kills, and waits for who comes after.
func (n *survivor) killed() {
	n.t.Helper()

	// Most of what is done takes less than two seconds; what is done at its beginning is decided closer together.
	wait := n.dice.Float64()
	time.Sleep(time.Duration(wait * wait * float64(3*time.Second)))
	if err := n.server.kill(); err != nil {
		n.t.Fatal(err)
	}
	n.kills++
	if err := n.server.start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}

// snapshots makes a snapshot.
func (n *survivor) snapshots(name string) (end func()) {
	n.t.Helper()

	n.create(snapshotOf(name, "data", "place"))

	return func() {
		n.tenant.saved(name)
		n.saved[name], n.last = n.want, name
	}
}

// goes moves the data to the other node.
func (n *survivor) goes() (end func()) {
	n.t.Helper()

	to := map[string]string{"node1": "node2", "node2": "node1"}[n.lives().Name]
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.Node = to })

	return func() {
		await(n.t, goneBy, "it lives on "+to, func() error {
			v := n.volume("data")
			if v.Status.Move != nil || v.Status.Node == nil || v.Status.Node.Hostname != to {
				return fmt.Errorf("it is on %+v, move %+v, %+v", v.Status.Node, v.Status.Move, conditions.Get(v, conditions.Ready))
			}

			return nil
		})
	}
}

// goesBack restores the newest snapshot.
func (n *survivor) goesBack() (end func()) {
	n.t.Helper()

	if n.volume("data").Spec.RestoreFrom != "" {
		n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = "" })
		n.volumeSays("data", "")
	}
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = v1alpha1.ObjectName(n.last) })

	return func() {
		n.restored("data", n.last)
		n.want = n.saved[n.last]
	}
}

// deletes makes a Volume of the newest snapshot, which its container uses, and deletes all three.
func (n *survivor) deletes(name string) (end func()) {
	n.t.Helper()

	n.create(restoring(name, n.lives().Name, n.last))
	n.create(app(name, "v1", mounting(name)))
	if n.dice.IntN(2) == 0 {
		n.ready(name)
	}
	gone := []client.Object{app(name, "v1"), volumeNamed(name, ""), snapshotOf(n.last, "data", "place")}
	for _, o := range gone {
		o.SetNamespace(n.name)
		if err := n.api.Delete(n.t.Context(), o); err != nil {
			n.t.Fatal(err)
		}
	}
	if n.volume("data").Spec.RestoreFrom != "" {
		n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = "" })
	}

	return func() {
		for _, o := range gone {
			await(n.t, goneBy, fmt.Sprintf("%T %s is gone", o, o.GetName()), func() error {
				err := n.api.Get(n.t.Context(), client.ObjectKeyFromObject(o), o)
				if err == nil {
					return fmt.Errorf("it is there: %+v", o)
				}

				return client.IgnoreNotFound(err)
			})
		}
	}
}

// lives is the node that the data lives on.
func (n *survivor) lives() *lab.Node {
	n.t.Helper()

	return n.node(n.volume("data").Status.Node.ID)
}

func (n *survivor) engineName() string { return volume.Name(n.volume("data")) }

func (n *survivor) home() string {
	n.t.Helper()

	return n.directory(n.lives(), n.engineName())
}
