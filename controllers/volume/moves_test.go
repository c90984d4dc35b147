package volume

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// runs is a world in which a container writes to a Volume on node a.
func running(t *testing.T, change ...func(*v1alpha1.Volume)) *world {
	t.Helper()

	w := newWorld(t, class(), vol("data", append([]func(*v1alpha1.Volume){func(v *v1alpha1.Volume) {
		v.CreationTimestamp = metav1.Now()
		v.Spec.Node = "a"
	}}, change...)...), container("web", "data"), snapshot("monday"))
	start := time.Now()
	w.controller.now = func() time.Time { return start }
	v := w.rest("data")
	if standingOf(v, conditions.Ready) != "True Bound" || w.work.writes == 0 {
		t.Fatalf("nothing runs: %+v", v.Status)
	}

	return w
}

func to(node string) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Spec.Node = node }
}

func from(snapshot v1alpha1.ObjectName) func(*v1alpha1.Volume) {
	return func(v *v1alpha1.Volume) { v.Spec.RestoreFrom = snapshot }
}

// whole wants one volume of the Volume on the nodes, with all that was written to it.
func (w *world) whole(node, begins string) {
	w.Helper()

	v := w.read("data")
	at := volumejob.Place{Node: node, Name: volume.Name(v)}
	switch content := w.work.content[at]; {
	case v.Status.Node == nil || v.Status.Node.ID != node:
		w.Fatalf("it lives on %+v", v.Status.Node)
	case !strings.HasPrefix(content, begins) || strings.Count(content, ",") != w.work.writes:
		w.Fatalf("%q is on %s, want %q and %d writes", content, node, begins, w.work.writes)
	case len(w.has["a"])+len(w.has["b"]) != 1:
		w.Fatalf("nodes have %v", w.has)
	}
}

// TestMove is the plain story: what mounts it stops, its data is copied, and it starts there.
func TestMove(t *testing.T) {
	w := running(t)
	name := volume.Name(w.read("data"))
	w.ask("data", to("host-b"))

	var phases []v1alpha1.MovePhase
	for range 30 {
		w.turn("data")
		v := w.read("data")
		if m := v.Status.Move; m != nil && (len(phases) == 0 || phases[len(phases)-1] != m.Phase) {
			phases = append(phases, m.Phase)
			if volume.HeldBack(v) != (standingOf(v, conditions.Ready) == "False Moving") {
				t.Errorf("in phase %s Ready is %s", m.Phase, standingOf(v, conditions.Ready))
			}
			if m.Phase != v1alpha1.MoveMoved && standingOf(v, v1alpha1.ConditionMoved) != "False Moving" {
				t.Errorf("in phase %s Moved is %s", m.Phase, standingOf(v, v1alpha1.ConditionMoved))
			}
		}
	}
	if got := []v1alpha1.MovePhase{"Stopping", "Copying", "Verifying", "Moved"}; !slices.Equal(phases, got) {
		t.Errorf("the phases were %v", phases)
	}
	v := w.rest("data")
	w.whole("b", "1,")
	if volume.Name(v) != name || standingOf(v, v1alpha1.ConditionMoved) != "True Moved" || standingOf(v, conditions.Ready) != "True Bound" || v.Status.Move != nil {
		t.Errorf("the end is %+v", v.Status)
	}
	if !slices.Contains(w.events, eventMoving) || !slices.Contains(w.events, eventMoved) {
		t.Errorf("events were %v", w.events)
	}
	if len(w.work.orders) != 3 || w.work.orders[2].Kind != volumejob.Remove {
		t.Errorf("orders were %+v", w.work.orders)
	}

	// Without a wish it stays.
	w.ask("data", to(""))
	v = w.rest("data")
	w.whole("b", "1,")
	if conditions.Get(v, v1alpha1.ConditionMoved) != nil {
		t.Error("a condition tells of no wish")
	}
}

// TestMoveWaitsForContainers: nothing is copied while something runs, or is to run, and what was left behind goes only when what mounts the
// Volume runs on the new node.
func TestMoveWaitsForContainers(t *testing.T) {
	w := running(t)
	w.ask("data", to("b"))
	idle := func(why string, orders int) {
		t.Helper()
		for range 10 {
			w.looked("data")
			w.work.work()
		}
		if len(w.work.orders) != orders {
			t.Fatalf("%s: ordered was %+v", why, w.work.orders)
		}
	}
	idle("it runs", 0)
	tasks := w.services[0].Tasks
	w.services[0].Service.Spec.Mode.Replicated.Replicas = new(uint64(0))
	idle("it is stopping", 0)
	w.services[0].Tasks, w.services[0].Service.Spec.Mode.Replicated.Replicas = nil, new(uint64(1))
	idle("it is to run", 0)
	w.services[0].Tasks, w.services[0].Service.Spec.Mode.Replicated.Replicas = tasks, new(uint64(0))
	w.services[0].Tasks[0].State = swarm.TaskStateShutdown
	idle("it is copied and verified, and it is not held to the new node yet", 2)
	if v := w.read("data"); v.Status.Node.ID != "b" || len(w.has["a"]) != 1 {
		t.Fatalf("it is %+v, nodes have %v", v.Status, w.has)
	}
	kept := "Moving to the node host-b: it lives there now, and the copy on the node that it has left is kept until containers run with the new one"
	if got := conditions.Get(w.read("data"), conditions.Ready).Message; got != kept {
		t.Errorf("Ready says %q, want %q", got, kept)
	}
	w.rest("data")
	w.whole("b", "1,")
}

// TestMovesAdopted: what was adopted keeps its name, and is adopted on the other node as well.
func TestMovesAdopted(t *testing.T) {
	w := newWorld(t, class(), vol("data", func(v *v1alpha1.Volume) { v.Spec.Adopt = "acme_old_0123456789ab" }), container("web", "data"))
	w.work.put(volumejob.Place{Node: "a", Name: "acme_old_0123456789ab"}, "old;", "")
	w.rest("data")
	w.ask("data", to("b"))
	w.rest("data")
	w.whole("b", "old;")
	if w.has["b"][0] != "acme_old_0123456789ab" {
		t.Errorf("nodes have %v", w.has)
	}
	w.ask("data", from("monday"))
	if err := w.Create(t.Context(), snapshot("monday")); err != nil {
		t.Fatal(err)
	}
	v := w.rest("data")
	w.whole("b", "monday;")
	if standingOf(v, conditions.Ready) != "True Bound" {
		t.Errorf("Ready is %s", standingOf(v, conditions.Ready))
	}
}

// TestMoveIsNotUndoneByOldLists: nodes are listed once a minute, and a list from before the move must not take the Volume back.
func TestMoveIsNotUndoneByOldLists(t *testing.T) {
	w := running(t)
	old := map[string][]string{"a": slices.Clone(w.has["a"]), "b": slices.Clone(w.has["b"])}
	w.listed = old
	w.ask("data", to("b"))
	w.rest("data")
	w.whole("b", "1,")
	w.listed = nil
	w.rest("data")
	w.whole("b", "1,")

	// Nor is a restored one taken for lost.
	w.listed = map[string][]string{"a": slices.Clone(w.has["a"]), "b": slices.Clone(w.has["b"])}
	w.ask("data", from("monday"))
	v := w.rest("data")
	w.whole("b", "monday;")
	if standingOf(v, conditions.Ready) != "True Bound" {
		t.Errorf("Ready is %s", standingOf(v, conditions.Ready))
	}
}

// TestMoveGivenUp: containers run again where they ran, it is told why, and it is not tried again unasked, whatever else changes.
func TestMoveGivenUp(t *testing.T) {
	w := running(t)
	w.work.fails = "the disk is full"
	w.ask("data", to("b"))
	v := w.rest("data")
	w.whole("a", "1,")
	if standingOf(v, conditions.Ready) != "True MoveFailed" || standingOf(v, v1alpha1.ConditionMoved) != "False MoveFailed" ||
		!strings.Contains(conditions.Get(v, v1alpha1.ConditionMoved).Message, "the disk is full") || !slices.Contains(w.events, eventMoveFailed) {
		t.Fatalf("the end is %+v, events %v", v.Status, w.events)
	}

	w.work.fails = ""
	orders := len(w.work.orders)
	w.ask("data", func(v *v1alpha1.Volume) { v.Spec.Size.Add(v.Spec.Size) })
	w.rest("data")
	if len(w.work.orders) != orders {
		t.Error("it is tried again when something else changes")
	}
	w.ask("data", to("a"))
	w.rest("data")
	w.ask("data", to("b"))
	w.rest("data")
	w.whole("b", "1,")
}

// TestMoveRefused: what cannot be moved goes on where it is, and it is told why.
func TestMoveRefused(t *testing.T) {
	cases := map[string]struct {
		change func(*world)
		says   string
		moved  string
	}{
		"NoSuchNode": {func(w *world) { w.ask("data", to("nowhere")) }, "nowhere", "False MoveFailed"},
		"NameTaken": {func(w *world) {
			w.work.put(volumejob.Place{Node: "b", Name: volume.Name(w.read("data"))}, "other", "")
			w.ask("data", to("b"))
		}, "remove it there", "False MoveFailed"},
		"CannotRunThere": {func(w *world) {
			if err := w.Client.Delete(w.Context(), container("web", "data")); err != nil {
				w.Fatal(err)
			}
			bound := container("web", "data")
			bound.Spec.Placement = &v1alpha1.Placement{Constraints: []string{"node.hostname==host-a"}}
			if err := w.Create(w.Context(), bound); err != nil {
				w.Fatal(err)
			}
			w.ask("data", to("b"))
		}, "spec.placement of TenantContainer web", "False Moving"},
		"NodeDown": {func(w *world) {
			w.nodes = slices.Clone(w.nodes)
			w.nodes[1].Status.State = swarm.NodeStateDown
			w.ask("data", to("b"))
		}, "does not answer", "False Moving"},
		"NodeDrained": {func(w *world) {
			w.nodes = slices.Clone(w.nodes)
			w.nodes[1].Spec.Availability = swarm.NodeAvailabilityDrain
			w.ask("data", to("b"))
		}, "ready and active", "False Moving"},
		"NodeSilent": {func(w *world) { w.silent["b"] = true; w.ask("data", to("b")) }, "does not answer", "False Moving"},
		"NotPortable": {func(w *world) {
			c := class()
			c.ResourceVersion = ""
			if err := w.Delete(w.Context(), class()); err != nil {
				w.Fatal(err)
			}
			c.Spec.Driver = "plugin"
			if err := w.Create(w.Context(), c); err != nil {
				w.Fatal(err)
			}
			w.ask("data", to("b"))
		}, "not in volumes of engines", "False MoveFailed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := running(t)
			tc.change(w)
			v := w.rest("data")
			ready := conditions.Get(v, conditions.Ready)
			if ready.Status != metav1.ConditionTrue || standingOf(v, v1alpha1.ConditionMoved) != tc.moved || !strings.Contains(ready.Message, tc.says) || v.Status.Node.ID != "a" {
				t.Errorf("the end is %+v", v.Status)
			}
			if len(w.work.orders) > 0 {
				t.Errorf("orders were %+v", w.work.orders)
			}
			time.Sleep(time.Second) // Conditions tell seconds.
			if after, _ := w.looked("data"); !equality.Semantic.DeepEqual(after.Status, v.Status) {
				t.Errorf("a pass that has seen the same writes something else:\n%+v\n%+v", v.Status, after.Status)
			}
		})
	}
}

// TestMoveWithoutData: what nothing has mounted yet is only given another node.
func TestMoveWithoutData(t *testing.T) {
	w := newWorld(t, class(), vol("data", to("a")))
	if v := w.rest0("data"); v.Status.Node == nil || v.Status.Node.ID != "a" {
		t.Fatalf("it is nowhere: %+v", v.Status)
	}
	w.ask("data", to("b"))
	if v := w.rest0("data"); v.Status.Node.ID != "b" || len(w.work.orders) > 0 || v.Status.Move != nil {
		t.Errorf("the end is %+v", v.Status)
	}
}

// TestKeptSource: what was left at the source and has changed since stays, and is told of until somebody has removed it.
func TestKeptSource(t *testing.T) {
	w := running(t)
	w.ask("data", to("b"))
	at := volumejob.Place{Node: "a", Name: volume.Name(w.read("data"))}
	for range 60 {
		w.turn("data")
		if m := w.read("data").Status.Move; m != nil && m.Phase == v1alpha1.MoveMoved {
			w.work.content[at] = "by hand"
		}
	}
	v := w.rest("data")
	if v.Status.Move == nil || v.Status.Move.Phase != v1alpha1.MoveKept || !slices.Contains(w.has["a"], at.Name) || v.Status.Node.ID != "b" {
		t.Fatalf("the end is %+v, nodes have %v", v.Status, w.has)
	}
	w.work.remove(at)
	v = w.rest("data")
	w.whole("b", "1,")
	if v.Status.Move != nil {
		t.Errorf("it is still told of: %+v", v.Status.Move)
	}
}

// TestTargetLeaves: a node that leaves the swarm as soon as a Volume has moved there takes the data along. What is left where it came from is
// older: it is kept, is not taken for the data, and keeps nobody from restoring a snapshot.
func TestTargetLeaves(t *testing.T) {
	w := running(t)
	w.ask("data", to("b"))
	for range 60 {
		if m := w.read("data").Status.Move; m != nil && m.Phase == v1alpha1.MoveMoved {
			break
		}
		w.turn("data")
	}
	at := volumejob.Place{Node: "a", Name: volume.Name(w.read("data"))}
	w.nodes, w.has["b"] = w.nodes[:1], nil
	v := w.rest0("data")
	if v.Status.Move == nil || v.Status.Move.Phase != v1alpha1.MoveKept || !slices.Contains(w.has["a"], at.Name) || standingOf(v, conditions.Ready) != "False NodeGone" {
		t.Fatalf("the end is %+v, nodes have %v", v.Status, w.has)
	}
	if !strings.Contains(v.Status.Move.Message, "left the swarm") {
		t.Errorf("it is told as %q", v.Status.Move.Message)
	}

	w.ask("data", func(v *v1alpha1.Volume) { to("a")(v); from("monday")(v) })
	v = w.rest("data")
	if v.Status.Node.ID != "a" || standingOf(v, conditions.Ready) != "True Bound" || !strings.HasPrefix(w.work.content[volumejob.Place{Node: "a", Name: volume.Name(v)}], "monday;") {
		t.Errorf("the end is %+v, nodes have %v", v.Status, w.work.content)
	}
	if !slices.Contains(w.has["a"], at.Name) {
		t.Error("what was kept has gone")
	}
}
