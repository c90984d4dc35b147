package volume

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// TestAnythingHappens kills the process between any two steps, cuts nodes off, has lists be old, changes what is asked and deletes the
// Volume, and wants one volume that counts and is whole, or none, and quiet at the end.
func TestAnythingHappens(t *testing.T) {
	if checks := flag.Lookup("rapid.checks"); checks != nil && checks.Value.String() == checks.DefValue && os.Getenv("DOGKER_LONG") == "" {
		_ = checks.Value.Set("40") // A hundred take a minute.
		t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) })
	}
	kills, moved, restored, deletedOnes := 0, 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, class(), vol("data", func(v *v1alpha1.Volume) {
			v.CreationTimestamp = metav1.Now()
			v.Spec.ReclaimPolicy = rapid.SampledFrom([]v1alpha1.ReclaimPolicy{v1alpha1.ReclaimDelete, v1alpha1.ReclaimRetain}).Draw(r, "policy")
			v.Spec.RestoreFrom = rapid.SampledFrom([]v1alpha1.ObjectName{"", "monday"}).Draw(r, "from")
		}), container("web", "data"), snapshot("monday"), snapshot("tuesday"))
		w.failf = r.Fatalf
		start := time.Now()
		w.controller.now = func() time.Time { return start }
		lost := false

		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			v := w.read("data")
			if v == nil {
				break
			}
			switch rapid.SampledFrom([]string{"turn", "turn", "turn", "pass", "pass", "work", "obey", "kill", "kill", "node", "list", "move", "move", "restore", "fails", "lose"}).Draw(r, "step") {
			case "turn":
				w.turn("data")
			case "pass":
				if _, finalized := w.looked("data"); finalized {
					w.gone("data")
				}
			case "work":
				w.work.work()
			case "obey":
				w.obey("data")
			case "kill":
				w.restart()
				kills++
			case "node":
				at := rapid.SampledFrom([]string{"a", "b"}).Draw(r, "node")
				w.silent[at] = !w.silent[at]
			case "list":
				w.listed = map[string][]string{"a": slices.Clone(w.has["a"]), "b": slices.Clone(w.has["b"])}
			case "move":
				w.ask("data", to(rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "to")))
			case "restore":
				w.ask("data", from(v1alpha1.ObjectName(rapid.SampledFrom([]string{"", "monday", "tuesday"}).Draw(r, "snapshot"))))
			case "lose":
				lost = true
				w.lose("data")
			case "fails":
				w.work.fails = rapid.SampledFrom([]string{"", "", "the disk is full"}).Draw(r, "why")
			}
		}
		ends := rapid.Bool().Draw(r, "ends")
		clear(w.silent)
		w.listed, w.work.fails = nil, ""
		if ends && w.read("data") != nil {
			if err := w.Delete(t.Context(), w.read("data")); err != nil {
				r.Fatal(err)
			}
			if err := w.Client.Delete(t.Context(), container("web", "data")); err != nil {
				r.Fatal(err)
			}
			w.services = nil
			for i := 0; w.read("data") != nil && i < 60; i++ {
				if _, finalized := w.looked("data"); finalized {
					w.gone("data")
				}
				w.work.work()
			}
			deletedOnes++
			w.nothingLeft(r, lost)

			return
		}
		v := w.rest("data")
		moved, restored = moved+len(v.Status.Conditions), restored+len(w.work.orders)
		w.oneCounts(r, v, lost)
	})
	if kills < 30 || moved == 0 || restored == 0 || deletedOnes == 0 {
		t.Errorf("there were %d kills, %d orders, %d deletions", kills, restored, deletedOnes)
	}
}

// oneCounts wants a Volume that is used, whole, and alone on the nodes, but for what is on record. Of one whose record was lost more may be
// left, which is found by who looks for data that nobody owns, or people may have to say what counts.
func (w *world) oneCounts(r *rapid.T, v *v1alpha1.Volume, lost bool) {
	at := volumejob.Place{Name: volume.Name(v)}
	if v.Status.Node != nil {
		at.Node = v.Status.Node.ID
	}
	content := w.work.content[at]
	switch ready := conditions.Get(v, conditions.Ready); {
	case w.work.broken != "":
		r.Fatal(w.work.broken)
	case volume.Moves(v) || volume.Restores(v) || len(v.Status.Superseded) > 0:
		r.Fatalf("it does not come to an end: %+v", v.Status)
	case lost && ready.Reason == v1alpha1.ReasonAmbiguous:
		return
	case ready.Status != metav1.ConditionTrue && !volume.Unfilled(v):
		r.Fatalf("it cannot be used: %+v", ready)
	case volume.Unfilled(v):
		if len(w.work.content) > 0 && !lost {
			r.Fatalf("it has no data, and nodes have %v", w.work.content)
		}

		return
	case strings.Count(content, ",") != w.work.writes:
		r.Fatalf("%q is in %v, want %d writes; nodes have %v", content, at, w.work.writes, w.work.content)
	}
	var records v1alpha1.ReleasedVolumeList
	if err := w.List(w.Context(), &records); err != nil {
		r.Fatal(err)
	}
	for other := range w.work.content {
		known := slices.ContainsFunc(records.Items, func(r v1alpha1.ReleasedVolume) bool { return r.Spec.VolumeName == other.Name })
		if other != at && !known && !lost {
			r.Fatalf("%v is left, and on no record: %v\n%+v", other, w.work.content, v.Status)
		}
	}
}

// nothingLeft wants nothing on the nodes of a Volume that is gone, but what is on record.
func (w *world) nothingLeft(r *rapid.T, lost bool) {
	v := w.read("data")
	if v != nil {
		r.Fatalf("it is still there: %+v", v.Status)
	}
	var records v1alpha1.ReleasedVolumeList
	if err := w.List(w.Context(), &records); err != nil {
		r.Fatal(err)
	}
	for at := range w.work.content {
		if !lost && !slices.ContainsFunc(records.Items, func(r v1alpha1.ReleasedVolume) bool {
			return r.Spec.VolumeName == at.Name && slices.ContainsFunc(r.Spec.Nodes, func(n v1alpha1.VolumeNode) bool { return n.ID == at.Node })
		}) {
			r.Fatalf("%v is left, and on no record: %v %+v", at, w.work.content, records.Items)
		}
	}
}
