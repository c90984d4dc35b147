//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestBadArchivesAreRefused: what is not what was stored is not restored, with a reason, and the Volume that was to have it keeps
// what it has. Once the archive is as it was, it is restored.
func TestBadArchivesAreRefused(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	dir, foreign := n.archives(t, "refused"), n.archives(t, "foreign")
	node := n.lab.Nodes[0]
	for _, name := range []string{"data", "other"} {
		n.create(volumeNamed(name, ""))
		n.run(app("db-"+name, "v1", mounting(name)))
		heap(t, n.directory(node, volume.Name(n.volume(name))), name, 256<<10)
	}
	first := n.tree(node, volume.Name(n.volume("data")))
	stored := filepath.Join(dir, n.save("first", "data", "refused").Status.ArchiveName)
	others := filepath.Join(dir, n.save("other", "other", "refused").Status.ArchiveName)
	strangers := filepath.Join(foreign, n.save("stranger", "data", "foreign").Status.ArchiveName)
	n.spoil(n.directory(node, volume.Name(n.volume("data"))))
	was, tasks := n.tree(node, volume.Name(n.volume("data"))), n.taskIDs("db-data")
	good := n.archive(stored)

	for what, bad := range map[string][]byte{
		"cut": good[:len(good)/2], "empty": nil, "altered": altered(good), "longer": append(good[:len(good):len(good)], 0),
		"of another Volume": n.archive(others), "of another key": n.archive(strangers),
	} {
		n.replaceArchive(stored, bad)
		n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = "first" })
		n.refusesRestore(what)
		if err := sameTree(n.tree(node, volume.Name(n.volume("data"))), was); err != nil {
			t.Errorf("an archive that is %s has changed what the Volume has: %v", what, err)
		}
		if now := n.taskIDs("db-data"); !maps.Equal(now, tasks) {
			t.Errorf("an archive that is %s: the tasks are %v, and were %v", what, now, tasks)
		}
		n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = "" })
		n.volumeSays("data", "")
		if err := n.volumesOn("node1", "data", "other"); err != nil {
			t.Errorf("an archive that is %s: %v", what, err)
		}

		// The platform is told the same of an archive that it wants to take up.
		n.replaceArchive(filepath.Join(dir, "found.age"), bad)
		n.create(&v1alpha1.VolumeSnapshot{ObjectMeta: metav1.ObjectMeta{Name: "found"}, Spec: v1alpha1.VolumeSnapshotSpec{ClassName: "refused", Source: v1alpha1.VolumeSnapshotSource{
			Archive: &v1alpha1.SnapshotArchive{Name: "found.age", VolumeUID: string(n.volume("data").UID)},
		}}})
		n.snapshotSays("found", v1alpha1.ReasonArchiveRefused)
		n.remove(snapshotOf("found", "", ""))
	}
	n.replaceArchive(stored, good)

	n.restore("data", "db-data", "first")
	n.wantTree(node, "data", first, "the archive was as it was")
}

// TestStoreIsAway: a place that does not answer is told of and waited for, and nothing stays frozen meanwhile.
func TestStoreIsAway(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	dir := n.archives(t, "away")
	data := volumeNamed("data", "")
	data.Spec.Snapshots = &v1alpha1.VolumeSnapshots{Quiesce: v1alpha1.QuiescePause}
	n.create(data)
	n.run(app("db", "v1", mounting("data")))
	n.write("db", "/data/orders", "42 of them")

	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	n.create(snapshotOf("first", "data", "away"))
	n.snapshotSays("first", v1alpha1.ReasonStoreUnavailable)
	await(t, soon, "nothing is frozen", func() error { return n.untidy("", map[string]int{"node1": 1}) })
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	n.saved("first")

	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	n.create(restoring("new", "", "first"))
	n.create(app("reader", "v1", mounting("new")))
	await(t, atLast, "the restore waits for the place", func() error {
		v := n.volume("new")
		if v.Status.Restore == nil || v.Status.Restore.Failures == 0 || conditions.IsTrue(v, conditions.Ready) {
			return fmt.Errorf("restore %+v, %+v", v.Status.Restore, v.Status.Conditions)
		}

		return nil
	})
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	n.restored("new", "first")
	n.ready("reader")
	n.wantFile("reader", "/new/orders", "42 of them", "the place was away")
}

// refusesRestore waits until the Volume says why nothing is restored.
func (n *tenant) refusesRestore(what string) {
	n.t.Helper()

	await(n.t, atLast, "an archive that is "+what+" is refused", func() error {
		v := n.volume("data")
		for _, c := range v.Status.Conditions {
			if c.Reason == v1alpha1.ReasonRestoreFailed && c.ObservedGeneration == v.Generation && strings.Contains(c.Message, "first") {
				return nil
			}
		}

		return fmt.Errorf("it says %+v; restore %+v, restored %+v", v.Status.Conditions, v.Status.Restore, v.Status.Restored)
	})
}

// snapshotSays waits until a snapshot is not ready for that reason, or has failed for it for good.
func (n *tenant) snapshotSays(name, reason string) {
	n.t.Helper()

	await(n.t, atLast, fmt.Sprintf("snapshot %s says %s", name, reason), func() error {
		var s v1alpha1.VolumeSnapshot
		if err := n.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, &s); err != nil {
			return err
		}
		ready := conditions.Get(&s, conditions.Ready)
		final := s.Status.LastFailure != nil && s.Status.LastFailure.Final && s.Status.LastFailure.Reason == reason
		if ready == nil || ready.Status == metav1.ConditionTrue || ready.Message == "" || ready.Reason != reason && (ready.Reason != v1alpha1.ReasonSnapshotFailed || !final) {
			return fmt.Errorf("it says %+v, failure %+v", ready, s.Status.LastFailure)
		}

		return nil
	})
}

func (n *tenant) archive(file string) []byte {
	n.t.Helper()

	content, err := os.ReadFile(file)
	if err != nil {
		n.t.Fatal(err)
	}

	return content
}

// replaceArchive puts another file in the place of an archive, as who has the directory can.
func (n *tenant) replaceArchive(file string, content []byte) {
	n.t.Helper()

	if err := errors.Join(os.WriteFile(file+".new", content, 0o600), os.Rename(file+".new", file)); err != nil {
		n.t.Fatal(err)
	}
}

func altered(archive []byte) []byte {
	out := append([]byte(nil), archive...)
	out[len(out)*2/3] ^= 1

	return out
}
