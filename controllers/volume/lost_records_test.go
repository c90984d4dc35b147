package volume

import (
	"strings"
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// TestRecordLost: without its status a Volume is what its services mount, and a snapshot is not restored over that again.
func TestRecordLost(t *testing.T) {
	w := running(t)
	w.ask("data", from("monday"))
	w.rest("data")
	w.lose("data")
	v := w.rest("data")
	w.whole("a", "monday;")
	if standingOf(v, v1alpha1.ConditionRestored) != "Unknown RecordLost" || standingOf(v, conditions.Ready) != "True Bound" || len(w.work.orders) != 1 {
		t.Fatalf("the end is %+v", v.Status)
	}
	w.ask("data", from(""))
	w.rest("data")
	w.ask("data", from("monday"))
	v = w.rest("data")
	w.whole("a", "monday;")
	if standingOf(v, v1alpha1.ConditionRestored) != "True Restored" || len(w.work.orders) != 2 {
		t.Errorf("asked again: %+v", v.Status)
	}

	// Nothing mounts it: it may be half a restore, which only people know.
	w.services = nil
	w.lose("data")
	for range 3 {
		v, _ = w.looked("data")
	}
	if standingOf(v, conditions.Ready) != "False Ambiguous" || v.Status.VolumeName != "" {
		t.Fatalf("without a service: %+v", v.Status)
	}
	w.ask("data", from(""))
	w.rest("data")
	w.whole("a", "monday;")
}

// TestListOlderThanLoss: what a list still shows of an abandoned restore is not taken for data.
func TestListOlderThanLoss(t *testing.T) {
	w := newWorld(t, class(), vol("data", to("a")), container("web", "data"))
	w.listed = map[string][]string{"a": {volume.RestoredName(w.read("data"), 1)}}
	v := w.rest("data")
	if v.Status.Restored != nil || volume.Name(v) != v.Status.VolumeName || w.work.writes == 0 {
		t.Errorf("the end is %+v", v.Status)
	}
}

// TestStaleRecord: who reads an old record of what was called off since does nothing by it.
func TestStaleRecord(t *testing.T) {
	for what, changes := range map[string][]func(*v1alpha1.Volume){"move": {to("b"), to("a")}, "restore": {from("monday"), from("")}} {
		w := running(t)
		w.ask("data", changes[0])
		var old *v1alpha1.Volume
		for range 60 {
			w.turn("data")
			v := w.read("data")
			if m, r := v.Status.Move, v.Status.Restore; m != nil && m.Phase == v1alpha1.MoveCopying || r != nil && r.Phase == v1alpha1.RestoreWriting {
				old = v
				break
			}
		}
		if old == nil {
			t.Fatalf("%s: nothing is under way", what)
		}
		w.ask("data", changes[1])
		w.rest("data")
		w.restart()
		orders := len(w.work.orders)
		w.services = nil
		_, _ = w.controller.Reconcile(t.Context(), old.DeepCopy()) // What it writes is refused.
		if len(w.work.orders) != orders {
			t.Errorf("%s: an old record has ordered %+v", what, w.work.orders[orders])
		}
	}
}

// TestStorePutBack: what was under way when a backup was made may long be done; nothing of it is touched.
func TestStorePutBack(t *testing.T) {
	for what, change := range map[string]func(*v1alpha1.Volume){"move": to("b"), "restore": from("monday")} {
		w := running(t)
		w.ask("data", change)
		for range 60 {
			w.turn("data")
			if v := w.read("data"); v.Status.Move != nil && v.Status.Move.Phase == v1alpha1.MoveVerifying || v.Status.Restore != nil && len(w.work.content) > 1 {
				break
			}
		}
		old := w.read("data")
		w.rest("data")
		now := w.read("data")
		now.Status = old.Status
		if err := w.Status().Update(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.controller.AfterRestores(1)
		before := len(w.work.content)
		for range 20 {
			w.looked("data")
			w.work.work()
		}
		v := w.read("data")
		if volume.Moves(v) || volume.Restores(v) || len(w.work.content) != before {
			t.Errorf("%s: %+v, nodes have %v, want what is there untouched", what, v.Status, w.has)
		}
		if m, r := v.Status.Move, v.Status.Restore; m != nil && m.Phase != v1alpha1.MoveGivenUp || r != nil && r.Phase != v1alpha1.RestoreGivenUp {
			t.Errorf("%s: it is not told: %+v", what, v.Status)
		}
	}
}

// TestPutBackBeforeRestore: the store was put back to before a snapshot was restored, and to a generation before that. What containers mount and
// have written to since is the data, and not what it had before, although that is there as well.
func TestPutBackBeforeRestore(t *testing.T) {
	w := running(t, retained)
	old := w.read("data")
	w.ask("data", from("monday"))
	v := w.rest("data")
	name := volume.Name(v)
	if name == volume.Name(old) || len(w.has["a"]) != 2 {
		t.Fatalf("nothing was restored: %+v, nodes have %v", v.Status, w.has)
	}

	v.Spec, v.Generation = old.Spec, old.Generation
	if err := w.Update(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	v.Status = old.Status // The update has read it.
	if err := w.Status().Update(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.controller.AfterRestores(1)
	v = w.rest("data")
	if volume.Name(v) != name || v.Status.VolumeName != name || standingOf(v, conditions.Ready) != "True Bound" || len(w.has["a"]) != 2 {
		t.Errorf("it goes on with %q, want %q: %+v, nodes have %v", volume.Name(v), name, v.Status, w.has)
	}
}

// TestPutBackWithoutService: the store was put back to before a snapshot was restored, and only a job mounts the Volume, so that nothing tells
// which data counts. Nothing is used before people have said that, by taking away what was restored, or by giving it to another Volume.
func TestPutBackWithoutService(t *testing.T) {
	for what, decide := range map[string]func(w *world, later string){
		"Removed": func(w *world, later string) { w.work.remove(volumejob.Place{Node: "a", Name: later}) },
		"Adopted": func(w *world, later string) {
			other := vol("other", func(v *v1alpha1.Volume) { v.Spec.Adopt = later })
			if err := w.Create(w.Context(), other); err != nil {
				w.Fatal(err)
			}
		},
	} {
		w := running(t, retained)
		if err := w.Client.Delete(t.Context(), container("web", "data")); err != nil {
			t.Fatal(err)
		}
		if err := w.Create(t.Context(), job("@hourly", "data")); err != nil {
			t.Fatal(err)
		}
		w.services = nil
		old := w.rest0("data")
		w.ask("data", from("monday"))
		v := w.rest0("data")
		later := volume.Name(v)
		if later == volume.Name(old) || len(w.has["a"]) != 2 {
			t.Fatalf("nothing was restored: %+v, nodes have %v", v.Status, w.has)
		}

		v.Spec, v.Generation = old.Spec, old.Generation
		if err := w.Update(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		v.Status = old.Status // The update has read it.
		if err := w.Status().Update(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.controller.AfterRestores(1)
		w.silent["b"] = true
		w.looked("data")
		w.silent["b"] = false
		for range 5 {
			v, _ = w.looked("data")
			w.work.work()
		}
		ready := conditions.Get(v, conditions.Ready)
		if standingOf(v, conditions.Ready) != "False Ambiguous" || !strings.Contains(ready.Message, later+" on the node host-a") || !volume.PutBack(v, 1) || len(w.has["a"]) != 2 {
			t.Fatalf("%s: it says %+v, %+v, nodes have %v, want it to be in doubt about %s", what, ready, v.Status, w.has, later)
		}

		decide(w, later)
		v = w.rest0("data")
		if standingOf(v, conditions.Ready) != "True Bound" || v.Status.VolumeName != volume.Name(old) || volume.PutBack(v, 1) {
			t.Errorf("%s: the end is %+v", what, v.Status)
		}
	}
}
