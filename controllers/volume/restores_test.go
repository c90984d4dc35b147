package volume

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// TestRestoreOver: what mounts a Volume goes on while a snapshot is written beside what it has, and then has that; what it had goes.
func TestRestoreOver(t *testing.T) {
	w := running(t)
	first := volume.Name(w.read("data"))
	w.ask("data", from("monday"))
	for range 40 {
		w.turn("data")
		v := w.read("data")
		if ready := conditions.Get(v, conditions.Ready); ready.Status != metav1.ConditionTrue {
			t.Fatalf("Ready is %+v", ready)
		}
		if r := v.Status.Restore; r != nil && (volume.Name(v) != first || standingOf(v, v1alpha1.ConditionRestored) != "False Restoring") {
			t.Fatalf("while it is written: %+v", v.Status)
		}
	}
	v := w.rest("data")
	w.whole("a", "monday;")
	if volume.Name(v) == first || v.Status.VolumeName != volume.Name(v) || v.Status.Superseded != nil || standingOf(v, v1alpha1.ConditionRestored) != "True Restored" ||
		standingOf(v, conditions.Ready) != "True Bound" || v.Status.Restored.SnapshotUID != "uid-monday" {
		t.Errorf("the end is %+v", v.Status)
	}
	if !slices.Contains(w.events, eventRestoring) || !slices.Contains(w.events, eventRestored) {
		t.Errorf("events were %v", w.events)
	}
	o := w.work.orders[0]
	if o.Kind != volumejob.Restore || o.Archive.Class != "place" || o.Archive.UID != "uid-data" || o.MaxBytes != 1<<30 {
		t.Errorf("the order was %+v", o)
	}

	// Once is enough, until the wish is taken back and made again.
	w.ask("data", func(v *v1alpha1.Volume) { v.Spec.Size = resource.MustParse("2Gi") })
	w.rest("data")
	w.ask("data", from(""))
	v = w.rest("data")
	if len(w.work.orders) != 1 || !v.Status.Restored.Removed || conditions.Get(v, v1alpha1.ConditionRestored) != nil {
		t.Errorf("without a wish: %+v, orders %d", v.Status.Restored, len(w.work.orders))
	}
	w.ask("data", from("monday"))
	w.rest("data")
	w.whole("a", "monday;")
	if len(w.work.orders) != 2 {
		t.Errorf("it was restored %d times, want 2", len(w.work.orders))
	}
}

// TestRestoreKeepsWhatItHad: with Retain what it had becomes a ReleasedVolume, once nothing mounts it.
func TestRestoreKeepsWhatItHad(t *testing.T) {
	w := running(t, retained)
	first := volume.Name(w.read("data"))
	w.ask("data", from("monday"))
	var records v1alpha1.ReleasedVolumeList
	for range 30 { // Its container has not heard of it.
		w.looked("data")
		w.work.work()
	}
	v := w.read("data")
	if err := w.List(t.Context(), &records); err != nil || len(records.Items) > 0 || len(v.Status.Superseded) != 1 || volume.Name(v) == first {
		t.Fatalf("while a container mounts it: %+v, on record %+v, %v", v.Status, records.Items, err)
	}
	v = w.rest("data")
	if err := w.List(t.Context(), &records); err != nil || len(records.Items) != 1 || records.Items[0].Spec.VolumeName != first {
		t.Fatalf("on record: %+v, %v", records.Items, err)
	}
	if !slices.Contains(w.has["a"], first) || !slices.Contains(w.has["a"], volume.Name(v)) || v.Status.Superseded != nil {
		t.Errorf("nodes have %v: %+v", w.has, v.Status)
	}
	if v.Status.Node.ID != "a" || !strings.HasPrefix(w.work.content[volumejob.Place{Node: "a", Name: volume.Name(v)}], "monday;") {
		t.Errorf("it has %v", w.work.content)
	}
}

// TestRestoreNew: a new Volume begins with the snapshot: nothing mounts it before it has its data.
func TestRestoreNew(t *testing.T) {
	w := newWorld(t, class(), vol("data", from("monday")))
	if v := w.rest0("data"); standingOf(v, conditions.Ready) != "True WaitForFirstConsumer" || standingOf(v, v1alpha1.ConditionRestored) != "False Restoring" {
		t.Fatalf("before a container: %+v", v.Status)
	}
	if err := w.Create(t.Context(), container("web", "data")); err != nil {
		t.Fatal(err)
	}
	v := w.rest("data")
	if standingOf(v, conditions.Ready) != "False Restoring" || w.work.writes > 0 || !strings.Contains(conditions.Get(v, conditions.Ready).Message, "no VolumeSnapshot") {
		t.Fatalf("without the snapshot: %+v", v.Status)
	}
	if err := w.Create(t.Context(), snapshot("monday")); err != nil {
		t.Fatal(err)
	}
	v = w.rest("data")
	w.whole(v.Status.Node.ID, "monday;")
	if standingOf(v, conditions.Ready) != "True Bound" || v.Status.ProvisionedAt == nil {
		t.Errorf("the end is %+v", v.Status)
	}
}

// TestRestoreNewFails: what could not be restored is not begun with nothing, before somebody says so.
func TestRestoreNewFails(t *testing.T) {
	w := newWorld(t, class(), vol("data", from("monday")), container("web", "data"), snapshot("monday"))
	w.work.fails, w.work.permanent = "the archive is cut", true
	v := w.rest("data")
	if standingOf(v, conditions.Ready) != "False RestoreFailed" || w.work.writes > 0 || len(w.has["a"])+len(w.has["b"]) > 0 || !slices.Contains(w.events, eventRestoreFailed) {
		t.Fatalf("the end is %+v", v.Status)
	}
	w.ask("data", from(""))
	v = w.rest("data")
	w.whole(v.Status.Node.ID, "1,")
}

// TestJobOfAnotherIsNoMount: a job has mounted a Volume that had the name before; the new one still has to be filled.
func TestJobOfAnotherIsNoMount(t *testing.T) {
	w := newWorld(t, class(), vol("data", from("monday")), job("@daily", "data"), snapshot("monday"))
	v := w.rest("data")
	w.whole(v.Status.Node.ID, "monday;")
}

// TestRestoreRefused: what the Volume has it has, and it is told why.
func TestRestoreRefused(t *testing.T) {
	cases := map[string]struct {
		snapshot func(*v1alpha1.VolumeSnapshot)
		says     string
	}{
		"TooLarge": {func(s *v1alpha1.VolumeSnapshot) { s.Status.RestoreSize = new(resource.MustParse("2Gi")) }, "more than spec.size"},
		"Failed": {func(s *v1alpha1.VolumeSnapshot) {
			conditions.MarkStalled(s, metav1.ConditionFalse, v1alpha1.ReasonSnapshotFailed, "the hook has failed")
		}, "the hook has failed"},
		"Deleted": {func(s *v1alpha1.VolumeSnapshot) {
			s.DeletionTimestamp, s.Finalizers = new(metav1.Now()), []string{v1alpha1.FinalizerVolumeSnapshot}
		}, "is being deleted"},
	}
	for name, tc := range cases {
		w := running(t)
		if err := w.Create(t.Context(), snapshot("other")); err != nil {
			t.Fatal(err)
		}
		s := snapshot("tuesday", tc.snapshot)
		w.with(s)
		w.ask("data", from("tuesday"))
		v := w.rest("data")
		w.whole("a", "1,")
		if standingOf(v, conditions.Ready) != "True RestoreFailed" || !strings.Contains(conditions.Get(v, v1alpha1.ConditionRestored).Message, tc.says) {
			t.Errorf("%s: the end is %+v", name, v.Status)
		}
		if len(w.work.orders) > 0 {
			t.Errorf("%s: orders were %+v", name, w.work.orders)
		}
	}
}

// TestRestoreLost: data that is gone from its node, or with it, comes back from a snapshot.
func TestRestoreLost(t *testing.T) {
	w := running(t)
	w.work.remove(volumejob.Place{Node: "a", Name: volume.Name(w.read("data"))})
	w.services = nil
	if v, _ := w.looked("data"); standingOf(v, conditions.Ready) != "False Lost" {
		t.Fatalf("Ready is %s", standingOf(v, conditions.Ready))
	}
	w.ask("data", from("monday"))
	w.rest("data")
	w.whole("a", "monday;")

	// The node leaves.
	w.nodes, w.has["a"], w.services = w.nodes[1:], nil, nil
	v := w.rest0("data")
	if standingOf(v, conditions.Ready) != "False NodeGone" {
		t.Fatalf("Ready is %s", standingOf(v, conditions.Ready))
	}
	w.ask("data", func(v *v1alpha1.Volume) { v.Spec.Node, v.Spec.RestoreFrom = "b", "" })
	w.rest0("data")
	w.ask("data", from("monday"))
	v = w.rest("data")
	w.whole("b", "monday;")
	if standingOf(v, v1alpha1.ConditionMoved) != "True Moved" {
		t.Errorf("the end is %+v", v.Status)
	}
}

// TestOneAtATime: a move goes before a restore, and neither begins in the middle of the other.
func TestOneAtATime(t *testing.T) {
	w := running(t)
	w.ask("data", func(v *v1alpha1.Volume) { v.Spec.Node, v.Spec.RestoreFrom = "b", "monday" })
	for range 60 {
		w.turn("data")
		if v := w.read("data"); volume.Moves(v) && volume.Restores(v) {
			t.Fatalf("both are under way: %+v", v.Status)
		}
	}
	w.rest("data")
	w.whole("b", "monday;")
	if k := w.work.orders[0].Kind; k != volumejob.Copy {
		t.Errorf("it began with %s", k)
	}
}

// TestDeletedInTheMiddle: whatever is under way is called off, what was made of it is gone, and what counts obeys the policy.
func TestDeletedInTheMiddle(t *testing.T) {
	for _, policy := range []v1alpha1.ReclaimPolicy{v1alpha1.ReclaimDelete, v1alpha1.ReclaimRetain} {
		for what, change := range map[string]func(*v1alpha1.Volume){"move": to("b"), "restore": from("monday")} {
			seen := map[string]bool{}
			for after := range 14 {
				w := running(t, func(v *v1alpha1.Volume) { v.Spec.ReclaimPolicy = policy })
				first := volume.Name(w.read("data"))
				w.ask("data", change)
				for range after {
					w.turn("data")
				}
				v := w.read("data")
				switch {
				case v.Status.Move != nil:
					seen[string(v.Status.Move.Phase)] = true
				case v.Status.Restore != nil:
					seen[string(v.Status.Restore.Phase)] = true
				}
				counted := []string{first, volume.Name(v)}
				places := 1
				if m := v.Status.Move; m != nil && m.Phase == v1alpha1.MoveMoved {
					places = 2
				}
				if err := w.Delete(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				if after%2 == 0 {
					w.restart()
				}
				for range 10 {
					w.turn("data")
				}
				switch v := w.read("data"); {
				case v == nil:
					t.Fatalf("%s %s after %d: it is gone while a container mounts it", policy, what, after)
				case volume.HeldBack(v) || volume.Restores(v):
					t.Fatalf("%s %s after %d: that goes on: %+v", policy, what, after, v.Status)
				}
				if err := w.Client.Delete(t.Context(), container("web", "data")); err != nil {
					t.Fatal(err)
				}
				w.services = nil
				for i := 0; w.read("data") != nil && i < 40; i++ {
					if _, finalized := w.looked("data"); finalized {
						w.gone("data")
					}
					w.work.work()
				}
				w.buried(policy, first, what, after)
				for at := range w.work.content {
					if !slices.Contains(counted, at.Name) || what == "move" && len(w.work.content) > places {
						t.Fatalf("%s %s after %d: what never counted is kept: %v", policy, what, after, w.work.content)
					}
				}
			}
			if len(seen) < 2 && what == "move" || len(seen) == 0 {
				t.Errorf("%s: it was deleted in %v only", what, seen)
			}
		}
	}
}

// buried wants nothing left of a Volume that is deleted, but what its policy keeps, on record.
func (w *world) buried(policy v1alpha1.ReclaimPolicy, first, what string, after int) {
	w.Helper()

	var records v1alpha1.ReleasedVolumeList
	if err := w.List(w.Context(), &records); err != nil {
		w.Fatal(err)
	}
	recorded := map[string][]string{}
	for _, r := range records.Items {
		for _, n := range r.Spec.Nodes {
			recorded[n.ID] = append(recorded[n.ID], r.Spec.VolumeName)
		}
	}
	switch {
	case w.read("data") != nil:
		w.Fatalf("%s %s after %d: it is still there: %+v", policy, what, after, w.read("data").Status)
	case policy == v1alpha1.ReclaimDelete && (len(w.has["a"])+len(w.has["b"]) > 0 || len(records.Items) > 0):
		w.Fatalf("%s %s after %d: nodes have %v", policy, what, after, w.has)
	case policy == v1alpha1.ReclaimDelete:
		return
	}
	kept := ""
	for at, content := range w.work.content {
		if !slices.Contains(recorded[at.Node], at.Name) {
			w.Fatalf("%s %s after %d: %v is not on record: %+v", policy, what, after, at, records.Items)
		}
		if at.Name == first || strings.HasPrefix(content, "monday;") {
			kept += content
		}
	}
	if kept == "" {
		w.Fatalf("%s %s after %d: nothing is kept", policy, what, after)
	}
}

// with puts an object there as it is, also one that is being deleted.
func (w *world) with(s *v1alpha1.VolumeSnapshot) {
	w.Helper()

	deleted := s.DeletionTimestamp != nil
	s.DeletionTimestamp = nil
	if err := w.Create(w.Context(), s); err != nil {
		w.Fatal(err)
	}
	if deleted {
		if err := w.Delete(w.Context(), s); client.IgnoreNotFound(err) != nil {
			w.Fatal(err)
		}
	}
}
