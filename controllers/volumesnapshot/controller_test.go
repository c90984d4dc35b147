package volumesnapshot

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/snapshotrun"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// TestLife follows a snapshot from its beginning to its end.
func TestLife(t *testing.T) {
	w := newWorld(t, class(), vol(quieted), writer("db"), snap("nightly"))

	s, _ := w.pass("nightly")
	if reason(s) != "False Snapshotting" || s.Status.Attempt == nil || w.writes != 1 {
		t.Fatalf("begun: %s, %+v after %d writes", reason(s), s.Status, w.writes)
	}
	want := volumejob.Order{
		Owner: "uid-nightly", Namespace: "acme", Kind: volumejob.Save, Operation: "snapshot/uid-nightly/1",
		Source: volumejob.Place{Node: "a", Name: s.Status.Attempt.VolumeName},
		Archive: volumejob.Archive{
			Class: "offsite", Name: "acme/data/uid-nightly.age", Namespace: "acme", Volume: "data", UID: "uid-v-data", Time: s.Status.Attempt.StartedAt.Time,
		},
		Quiet: volumejob.Quiet{
			Pause: true, Namespace: "acme", Container: "db",
			Pre:  &volumejob.Hook{Command: []string{"pre"}, Timeout: 30 * time.Second},
			Post: &volumejob.Hook{Command: []string{"post", "x"}, Timeout: 7 * time.Second},
		},
	}
	if diff := cmp.Diff([]volumejob.Order{want}, w.ordered); diff != "" {
		t.Fatalf("what is ordered (-want +got):\n%s", diff)
	}
	w.pass("nightly")
	if w.writes != 1 || len(w.ordered) != 1 {
		t.Errorf("while it runs: %d writes, %d orders", w.writes, len(w.ordered))
	}

	w.end("nightly", stored)
	s, after := w.pass("nightly")
	switch st := s.Status; {
	case reason(s) != "True SnapshotReady" || st.Attempt != nil || st.Digest != "d1" || st.ArchiveSHA256 != "5a1c" || st.Entries != 3:
		t.Fatalf("made: %s, %+v", reason(s), st)
	case st.RestoreSize.Value() != 1<<20 || st.ArchiveSize.Value() != 1<<19 || st.CreationTime == nil:
		t.Errorf("made: %+v", st)
	case w.writes != 2 || after != 0 || len(w.jobs) > 0:
		t.Errorf("made: %d writes, next look in %v, jobs %v", w.writes, after, w.jobs)
	}
	if !slices.Equal(w.events, []string{"Normal CreatingSnapshot", "Normal SnapshotReady"}) {
		t.Errorf("events are %v", w.events)
	}

	// Nothing that happens to the rest changes it, nor does a new process.
	if err := w.Delete(t.Context(), vol()); err != nil {
		t.Fatal(err)
	}
	w.restart()
	for range 3 {
		if s, _ = w.pass("nightly"); reason(s) != "True SnapshotReady" || w.writes != 2 || len(w.ordered) != 1 {
			t.Fatalf("later: %s after %d writes and %d orders", reason(s), w.writes, len(w.ordered))
		}
	}

	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s, _ = w.pass("nightly")
	if o := w.ordered[len(w.ordered)-1]; s == nil || o.Kind != volumejob.Erase || o.Archive.Name != "acme/data/uid-nightly.age" {
		t.Fatalf("deleted: %v, last ordered is %+v", s, o)
	}
	w.end("nightly", func(*volumejob.Job) {})
	if s, _ = w.pass("nightly"); s != nil || w.events[len(w.events)-1] != "Normal ArchiveRemoved" {
		t.Errorf("removed: %v, events %v", s, w.events)
	}
}

// TestInTheWay: what keeps a snapshot from being begun is named, and nothing is ordered.
func TestInTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		why    string
		class  func(*v1alpha1.VolumeSnapshotClass)
		volume func(*v1alpha1.Volume)
		set    func(*world)
		want   string
	}{
		"NotProvisioned": {"Nothing can be read before there is anything.", nil, func(v *v1alpha1.Volume) { v.Status.ProvisionedAt = nil }, nil, "False WaitForFirstConsumer"},
		"NotThereYet":    {"A service mounts it, and its first task has not come yet.", nil, func(v *v1alpha1.Volume) { v.Status.ProvisionedAt, v.Status.MountedAt = nil, new(metav1.Now()) }, nil, "False WaitForFirstConsumer"},
		"NodeNeverTells": {"Without its agent nothing can be read; to try would cost an attempt.", nil, func(v *v1alpha1.Volume) { v.Status.ProvisionedAt, v.Status.MountedAt = nil, new(metav1.Now()) }, func(w *world) { w.silent = true }, "False NodeUnreachable"},
		"Moving":         {"What is copied must not be frozen by two.", nil, func(v *v1alpha1.Volume) { v.Status.Move = &v1alpha1.VolumeMove{Phase: v1alpha1.MoveCopying} }, nil, "False Moving"},
		"Moved":          {"A move whose data is there already is in nobody's way.", nil, func(v *v1alpha1.Volume) { v.Status.Move = &v1alpha1.VolumeMove{Phase: v1alpha1.MoveMoved} }, nil, "False Snapshotting"},
		"Restoring":      {"What it will be is not there yet.", nil, func(v *v1alpha1.Volume) { v.Status.Restore = &v1alpha1.VolumeRestore{Phase: v1alpha1.RestoreWriting} }, nil, "False Restoring"},
		"RestoreGivenUp": {"What was given up is in nobody's way.", nil, func(v *v1alpha1.Volume) { v.Status.Restore = &v1alpha1.VolumeRestore{Phase: v1alpha1.RestoreGivenUp} }, nil, "False Snapshotting"},
		"NodeDown":       {"It waits for the node.", nil, nil, func(w *world) { w.nodes[0].Status.State = swarm.NodeStateDown }, "False NodeDown"},
		"NodeGone":       {"It says that the node is gone.", nil, nil, func(w *world) { w.nodes = w.nodes[1:] }, "False NodeGone"},
		"Blind":          {"A swarm that cannot be asked has lost no node.", nil, nil, func(w *world) { w.nodes = nil }, "False EngineUnavailable"},
		"NoClass":        {"It waits for the class.", nil, nil, func(w *world) { _ = w.Delete(w.Context(), class()) }, "False ClassNotFound"},
		"StoreAway": {"An attempt that must fail is none.", func(c *v1alpha1.VolumeSnapshotClass) {
			conditions.MarkWaiting(c, "False", v1alpha1.ReasonStoreUnavailable, "s3.internal does not answer")
		}, nil, nil, "False StoreUnavailable"},
		"NoVolume": {"A Volume may come later.", nil, nil, func(w *world) { _ = w.Delete(w.Context(), vol()) }, "False VolumeNotFound"},
		"Deleting": {"A Volume that goes is not begun with.", nil, func(v *v1alpha1.Volume) { v.Finalizers = []string{"x"} }, func(w *world) { _ = w.Delete(w.Context(), vol()) }, "False SnapshotFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			cl, v := class(), vol()
			if c.class != nil {
				c.class(cl)
			}
			if c.volume != nil {
				c.volume(v)
			}
			w := newWorld(t, cl, v, snap("nightly"))
			if c.set != nil {
				c.set(w)
			}
			s, after := w.pass("nightly")
			if reason(s) != c.want {
				t.Fatalf("%s\ngot %s: %s", c.why, reason(s), conditions.Get(s, conditions.Ready).Message)
			}
			if m := conditions.Get(s, conditions.Ready).Message; strings.Contains(m, "s3.internal") {
				t.Errorf("a tenant reads where the platform keeps things: %s", m)
			}
			if begun := c.want == "False Snapshotting"; begun != (len(w.ordered) == 1) || !begun && after == 0 && c.want != "False SnapshotFailed" {
				t.Errorf("%s\n%d orders, next look in %v", c.why, len(w.ordered), after)
			}
			writes := w.writes
			if w.pass("nightly"); w.writes != writes {
				t.Errorf("another look writes")
			}
		})
	}
}

// TestKilled: another process undoes what the one before may have left, and only then begins anew.
func TestKilled(t *testing.T) {
	w := newWorld(t, class(), vol(quieted), writer("db"), snap("nightly"))
	w.pass("nightly")
	w.restart()

	// By now the Volume says something else.
	change(w, &v1alpha1.Volume{}, "data", func(v *v1alpha1.Volume) { v.Spec.Snapshots = nil })
	s, _ := w.pass("nightly")
	o := w.ordered[1]
	if reason(s) != "False Thawing" || o.Kind != volumejob.Thaw || !o.Quiet.Pause || o.Quiet.Post == nil || o.Quiet.Post.Command[0] != "post" || o.Quiet.Container != "db" || o.Source.Node != "a" {
		t.Fatalf("after a kill: %s, ordered %+v", reason(s), o)
	}
	w.end("nightly", failed(volumejob.FaultNode, "the node does not answer", false))
	s, after := w.pass("nightly")
	if reason(s) != "False Thawing" || after > 10*time.Second || len(w.ordered) != 2 {
		t.Fatalf("not undone: %s, next look in %v, %d orders", reason(s), after, len(w.ordered))
	}
	w.clock = w.clock.Add(time.Minute)
	w.pass("nightly")
	w.end("nightly", func(*volumejob.Job) {})
	s, _ = w.pass("nightly")
	if o := w.ordered[len(w.ordered)-1]; o.Kind != volumejob.Save || o.Operation != "snapshot/uid-nightly/2" || s.Status.Failures != 0 || o.Quiet.Pause {
		t.Fatalf("undone: ordered %+v, %d failures", o, s.Status.Failures)
	}
	w.end("nightly", stored)
	if s, _ = w.pass("nightly"); reason(s) != "True SnapshotReady" {
		t.Errorf("made: %s", reason(s))
	}
}

// TestFails: attempts are repeated after a pause, told once, and given up.
func TestFails(t *testing.T) {
	w := newWorld(t, class(), vol(quieted), writer("db"), snap("nightly"))
	for n := range 5 {
		s, _ := w.pass("nightly")
		if reason(s) == "False SnapshotFailed" {
			t.Fatalf("given up after %d attempts", n)
		}
		w.end("nightly", failed(volumejob.FaultHook, "the hook before reading: it ended with exit code 1", true))
		s, after := w.pass("nightly")
		if n < 4 && (reason(s) != "False HookFailed" || after <= 0 || after > time.Minute) {
			t.Fatalf("after attempt %d: %s, next look in %v", n+1, reason(s), after)
		}
		w.clock = w.clock.Add(6 * time.Minute)
	}
	s, after := w.pass("nightly")
	if reason(s) != "False SnapshotFailed" || !conditions.IsTrue(s, conditions.Stalled) || after != 0 || !strings.Contains(conditions.Get(s, conditions.Ready).Message, "exit code 1") {
		t.Fatalf("given up: %s %q, next look in %v", reason(s), conditions.Get(s, conditions.Ready).Message, after)
	}
	if want := []string{"Normal CreatingSnapshot", "Warning HookFailed", "Warning HookFailed", "Warning HookFailed", "Warning HookFailed", "Warning SnapshotFailed"}; !slices.Equal(w.events, want) {
		t.Errorf("events are %v, want %v", w.events, want)
	}
	if len(w.ordered) != 5 || len(w.jobs) > 0 {
		t.Errorf("%d orders, jobs %v", len(w.ordered), w.jobs)
	}
}

// TestVolumeGone: without the Volume it is not tried again.
func TestVolumeGone(t *testing.T) {
	w := newWorld(t, class(), vol(), snap("nightly"))
	w.pass("nightly")
	if err := w.Delete(t.Context(), vol()); err != nil {
		t.Fatal(err)
	}
	w.end("nightly", failed(volumejob.FaultOther, "its volume is not there", true))
	s, _ := w.pass("nightly")
	if reason(s) != "False SnapshotFailed" || s.Status.Failures != 1 {
		t.Errorf("got %s after %d failures", reason(s), s.Status.Failures)
	}
}

// TestOneAtATime: of two snapshots of a Volume the second waits for the first, also while that is still being undone.
func TestOneAtATime(t *testing.T) {
	w := newWorld(t, class(), vol(quieted), writer("db"), snap("one"), snap("two"), snap("other", func(s *v1alpha1.VolumeSnapshot) { s.Spec.Source.VolumeName = "logs" }),
		vol(func(v *v1alpha1.Volume) { v.Name, v.UID = "logs", "uid-v-logs" }))
	w.pass("one")
	w.pass("other")
	two, _ := w.pass("two")
	if two.Status.Attempt != nil || len(w.ordered) != 2 {
		t.Fatalf("both are made at once: %+v", w.ordered)
	}
	w.end("one", failed(volumejob.FaultStore, "the store does not answer", false))
	w.pass("one")
	if two, _ = w.pass("two"); two.Status.Attempt != nil {
		t.Fatal("it is begun while another one is being undone")
	}
	w.end("one", func(*volumejob.Job) {})
	w.pass("one")
	if two, _ = w.pass("two"); two.Status.Attempt == nil {
		t.Error("it waits for one that is over")
	}
}

// TestManyNodes: what all nodes see is read on one that is ready and has it.
func TestManyNodes(t *testing.T) {
	shared := &v1alpha1.VolumeClass{}
	shared.Name, shared.Spec.Access = "local", v1alpha1.AccessMany
	w := newWorld(t, class(), shared, vol(func(v *v1alpha1.Volume) { v.Status.Node = nil }), snap("nightly"))
	if s, _ := w.pass("nightly"); reason(s) != "False NodeUnreachable" {
		t.Fatalf("no node has it: %s", reason(s))
	}
	w.held, w.nodes[0].Status.State = []string{"b", "a"}, swarm.NodeStateDown
	if w.pass("nightly"); len(w.ordered) != 1 || w.ordered[0].Source.Node != "b" {
		t.Errorf("ordered is %+v", w.ordered)
	}
}

// TestTakenUp: an archive that is there is verified, and removed only when nobody else is of it.
func TestTakenUp(t *testing.T) {
	up := func(s *v1alpha1.VolumeSnapshot) {
		s.Spec.Source = v1alpha1.VolumeSnapshotSource{Archive: &v1alpha1.SnapshotArchive{Name: "old/data/1.age", VolumeUID: "uid-v-data"}}
	}
	w := newWorld(t, class(), snap("old", up), snap("same", up))
	w.pass("old")
	if o := w.ordered[0]; o.Kind != volumejob.Check || o.Archive.Name != "old/data/1.age" || o.Archive.UID != "uid-v-data" {
		t.Fatalf("ordered is %+v", o)
	}
	w.restart()
	w.pass("old")
	if o := w.ordered[len(w.ordered)-1]; o.Kind != volumejob.Check || len(w.ordered) != 2 {
		t.Fatalf("after a kill there was something to undo: %+v", w.ordered)
	}
	w.end("old", stored)
	s, _ := w.pass("old")
	if reason(s) != "True SnapshotReady" || s.Status.VolumeUID != "uid-v-data" {
		t.Fatalf("taken up: %s, %+v", reason(s), s.Status)
	}

	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, _ = w.pass("old"); s != nil || len(w.ordered) != 2 {
		t.Fatalf("what another one is of is removed: %+v", w.ordered)
	}
	// The other one was never verified: it may name anything.
	w.pass("same")
	w.end("same", func(j *volumejob.Job) { j.Fault, j.Err, j.Permanent = volumejob.FaultArchive, "it is cut", true })
	s, _ = w.pass("same")
	if reason(s) != "False SnapshotFailed" {
		t.Fatalf("a cut archive: %s", reason(s))
	}
	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, _ = w.pass("same"); s != nil || w.ordered[len(w.ordered)-1].Kind != volumejob.Check {
		t.Errorf("what was never verified is removed: %+v", w.ordered)
	}
}

// TestTakeDown: what is being done is ended and undone, and only then the archive goes.
func TestTakeDown(t *testing.T) {
	restoring := vol(func(v *v1alpha1.Volume) {
		v.Name, v.UID = "new", "uid-v-new"
		v.Status.Restore = &v1alpha1.VolumeRestore{SnapshotUID: "uid-nightly", Phase: v1alpha1.RestoreWriting}
	})
	w := newWorld(t, class(), vol(quieted), restoring, writer("db"), snap("nightly"))
	s, _ := w.pass("nightly")
	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, _ = w.pass("nightly"); reason(s) != "False InUse" || len(w.cancelled) > 0 {
		t.Fatalf("while a Volume is restored from it: %s, cancelled %v", reason(s), w.cancelled)
	}
	change(w, &v1alpha1.Volume{}, "new", func(v *v1alpha1.Volume) { v.Status.Restore = nil })
	w.pass("nightly")
	if !slices.Equal(w.cancelled, []string{"uid-nightly"}) {
		t.Fatalf("cancelled is %v", w.cancelled)
	}
	w.end("nightly", failed(volumejob.FaultOther, "it was cancelled", false))
	w.pass("nightly")
	if o := w.ordered[len(w.ordered)-1]; o.Kind != volumejob.Thaw {
		t.Fatalf("ordered is %+v", o)
	}
	w.end("nightly", func(*volumejob.Job) {})
	w.pass("nightly")
	if o := w.ordered[len(w.ordered)-1]; o.Kind != volumejob.Erase {
		t.Fatalf("ordered is %+v", o)
	}

	// The place is gone for good: told once, however often it is tried, until the class says that archives stay.
	w.end("nightly", failed(volumejob.FaultStore, "the store does not answer", true))
	s, _ = w.pass("nightly")
	if reason(s) != "False StoreUnavailable" {
		t.Fatalf("not removed: %s", reason(s))
	}
	writes := w.writes
	for range 3 {
		w.clock = w.clock.Add(2 * time.Minute)
		w.pass("nightly")
		w.end("nightly", failed(volumejob.FaultStore, "the store does not answer", true))
		w.pass("nightly")
	}
	if w.writes != writes {
		t.Errorf("%d writes while nothing changes", w.writes-writes)
	}
	change(w, &v1alpha1.VolumeSnapshotClass{}, "offsite", func(c *v1alpha1.VolumeSnapshotClass) { c.Spec.DeletionPolicy = v1alpha1.ReclaimRetain })
	if s, _ = w.pass("nightly"); s != nil || len(w.jobs) > 0 {
		t.Errorf("with Retain: %+v, jobs %v", s, w.jobs)
	}
}

// TestNeverBegun: what was never begun has nothing to remove, and waits for nothing.
func TestNeverBegun(t *testing.T) {
	w := newWorld(t, vol(), snap("nightly"))
	s, _ := w.pass("nightly")
	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, _ = w.pass("nightly"); s != nil || len(w.ordered) > 0 {
		t.Errorf("got %+v, ordered %v", s, w.ordered)
	}
}

// TestHookContainer: hooks run where the Volume says, or where it is written to.
func TestHookContainer(t *testing.T) {
	reader := writer("a-reader")
	reader.Spec.Volumes[0].ReadOnly = true
	all := []v1alpha1.TenantContainer{*writer("web"), *reader, *writer("db")}

	v := vol(quieted)
	if got := snapshotrun.HookContainer(v, all); got != "db" {
		t.Errorf("got %q, want the first that writes", got)
	}
	v.Spec.Snapshots.Hooks.Container = "web"
	if got := snapshotrun.HookContainer(v, all); got != "web" {
		t.Errorf("got %q, want what is said", got)
	}
	v.Spec.Snapshots.Hooks.Container = ""
	if got := snapshotrun.HookContainer(v, nil); got != "" {
		t.Errorf("got %q where nothing mounts it", got)
	}
}

// TestBlindAtStart: a server that does not know the nodes yet neither fails to undo anything, nor takes the node for gone.
func TestBlindAtStart(t *testing.T) {
	w := newWorld(t, class(), vol(quieted), writer("db"), snap("nightly"))
	w.pass("nightly")
	w.restart()
	nodes := w.nodes
	w.nodes = nil

	s, after := w.pass("nightly")
	if reason(s) != "False Thawing" || len(w.ordered) != 1 || after > 5*time.Second {
		t.Fatalf("blind: %s, %d orders, next look in %v", reason(s), len(w.ordered), after)
	}

	// A node that is down is waited for without a word more.
	down := slices.Clone(nodes)
	down[0].Status.State = swarm.NodeStateDown
	w.nodes = down
	writes := w.writes
	for range 3 {
		w.clock = w.clock.Add(10 * time.Minute)
		w.pass("nightly")
	}
	if w.writes != writes || len(w.ordered) != 1 {
		t.Errorf("a node that is down: %d writes, %d orders", w.writes-writes, len(w.ordered))
	}

	w.nodes = nodes
	if w.pass("nightly"); len(w.ordered) != 2 || w.ordered[1].Kind != volumejob.Thaw {
		t.Errorf("seeing: %+v", w.ordered)
	}
}
