//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// mover is a namespace whose Volume "data" moves, with what is in it.
type mover struct {
	*tenant

	want map[string]string
}

// TestMove moves data between three nodes: all of it is there, nothing stays behind, and the containers follow. A move to a node
// that is down waits, one that is not wished any more is undone, and a Volume that is deleted meanwhile leaves nothing anywhere.
func TestMove(t *testing.T) {
	t.Parallel()
	c := cellWithAgents(t, 3)
	n := &mover{tenant: c.namespace(t, "moved")}
	t.Cleanup(n.diagnoseFailure)
	n.create(volumeNamed("data", "node2"))
	n.run(app("db", "v1", mounting("data")))
	n.run(app("reader", "v1", mounting("data"), readOnly, replicas(2)))
	source := n.node("node2")
	heap(t, n.directory(source, volume.Name(n.volume("data"))), "moved", 8<<20)
	n.want = n.tree(source, volume.Name(n.volume("data")))

	n.moves("node3")
	n.arrives("node3")
	n.waitsForNode("node2")

	// It may be done before it is taken back; then it moves back.
	n.moves("node1")
	await(t, soon, "the move is under way", func() error { return n.movedOn("node2") })
	n.moves("node2")
	n.arrives("node2")

	n.moves("node3")
	await(t, soon, "the move is under way", func() error { return n.movedOn("node2") })
	for _, name := range []string{"db", "reader"} {
		n.remove(app(name, "v1"))
	}
	n.remove(volumeNamed("data", ""))
	await(t, soon, "nothing is left on any node", func() error { return n.untidy("", nil) })
}

func (n *mover) moves(to string) {
	n.t.Helper()

	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.Node = to })
}

// movedOn is an error until a move from that node is on record, or is done.
func (n *mover) movedOn(from string) error {
	v := n.volume("data")
	if v.Status.Move == nil && v.Status.Node.Hostname == from {
		return fmt.Errorf("it says %+v", conditions.Get(v, conditions.Ready))
	}

	return nil
}

// arrives waits until all is on a node and runs there, and nothing is left of it elsewhere.
func (n *mover) arrives(at string) {
	n.t.Helper()

	took := await(n.t, goneBy, "the Volume lives on "+at, func() error {
		v := n.volume("data")
		if v.Status.Move != nil || v.Status.Node == nil || v.Status.Node.Hostname != at {
			return fmt.Errorf("it is on %+v, move %+v, %+v", v.Status.Node, v.Status.Move, conditions.Get(v, conditions.Ready))
		}

		return nil
	})
	n.t.Logf("it was on %s after %v", at, took.Round(time.Millisecond))
	v := n.volumeSays("data", "")
	n.ready("db")
	n.ready("reader")
	n.wantNodes("db", map[string]int{at: 1})
	n.wantNodes("reader", map[string]int{at: 2})
	if err := sameTree(n.tree(n.node(at), volume.Name(v)), n.want); err != nil {
		n.t.Errorf("on %s it is not what it was: %v", at, err)
	}
	await(n.t, soon, "nothing is left elsewhere", func() error { return n.untidy("", map[string]int{at: 1}) })
	if got := n.must("db", "/app", "echo", "here"); got != "here" {
		n.t.Errorf("the container on %s says %q", at, got)
	}
}

// waitsForNode wants a move to a node that is down to be told of and to touch nothing, and to begin by itself once the node is
// back.
func (n *mover) waitsForNode(to string) {
	n.t.Helper()

	node := n.node(to)
	tasks := n.taskIDs("db")
	if err := node.PowerCut(); err != nil {
		n.t.Fatal(err)
	}
	await(n.t, atLast, to+" is down", func() error {
		if n.nodeReady(to) == nil {
			return errors.New("it is ready")
		}

		return nil
	})
	n.moves(to)
	await(n.t, atLast, "the Volume says that it cannot move", func() error { return n.saysOfMove("The move has not begun") })
	stays(n.t, 3*time.Second, "containers go on", func() error {
		if now := n.taskIDs("db"); !maps.Equal(now, tasks) {
			return fmt.Errorf("the tasks are %v, and were %v", now, tasks)
		}

		return nil
	})
	if err := node.Start(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
	n.arrives(to)
}

// saysOfMove is an error until the Volume says with such words that it has not moved.
func (n *mover) saysOfMove(words string) error {
	v := n.volume("data")
	moved := conditions.Get(v, v1alpha1.ConditionMoved)
	if moved == nil || moved.Status != metav1.ConditionFalse || moved.ObservedGeneration != v.Generation || !strings.Contains(moved.Message, words) {
		return fmt.Errorf("it says %+v, move %+v", v.Status.Conditions, v.Status.Move)
	}

	return nil
}
