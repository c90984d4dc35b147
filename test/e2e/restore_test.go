//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/volume"
)

// TestRestoreInPlace gives a Volume back what it had, while its container runs: what was is there, after one restart, and what
// took its place before is gone, or is released.
func TestRestoreInPlace(t *testing.T) {
	t.Parallel()
	n := sharedCell(t).tenant(t)
	dir := n.archives(t, "in-place")
	n.create(volumeNamed("data", ""))
	n.run(app("db", "v1", mounting("data")))
	node := n.lab.Nodes[0]
	home := n.directory(node, volume.Name(n.volume("data")))
	heap(t, home, "first", 1<<20)
	first := n.tree(node, volume.Name(n.volume("data")))

	s := n.save("first", "data", "in-place")
	if s.Status.Entries != int64(len(first)) || s.Status.RestoreSize == nil || s.Status.RestoreSize.Value() < 1<<20 {
		t.Errorf("it has %d entries and %v, want %d and more than 1 MiB", s.Status.Entries, s.Status.RestoreSize, len(first))
	}
	n.spoil(home)
	n.save("second", "data", "in-place")
	second := n.tree(node, volume.Name(n.volume("data")))
	if sameTree(second, first) == nil {
		t.Fatal("nothing has changed")
	}

	was := n.restore("data", "db", "first")
	n.wantTree(node, "data", first, "the first was restored")
	await(t, soon, "what it had is gone", func() error { return n.volumeIsGone(was) })

	// Nothing more happens: not by itself, and not when the wish is taken back.
	settled := n.settled("db")
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom, s.ReclaimPolicy = "", v1alpha1.ReclaimRetain })
	n.volumeSays("data", "")
	stays(t, 3*time.Second, "nothing happens without a wish", func() error { return n.unmoved(settled) })

	was = n.restore("data", "db", "second")
	n.wantTree(node, "data", second, "the second was restored")
	released := &v1alpha1.ReleasedVolume{ObjectMeta: metav1.ObjectMeta{Name: volume.ReleasedName(was)}}
	await(t, soon, "what it had is released", func() error {
		return n.api.Get(t.Context(), client.ObjectKeyFromObject(released), released)
	})
	if released.Spec.VolumeName != was || released.Spec.From.Namespace != n.name || released.Spec.From.Name != "data" {
		t.Errorf("the record is %+v", released.Spec)
	}
	if err := sameTree(n.tree(node, was), first); err != nil {
		t.Errorf("what is released is not what it had: %v", err)
	}
	if err := n.api.Delete(t.Context(), released); err != nil {
		t.Fatal(err)
	}
	await(t, atLast, "the record goes, and the data with it", func() error {
		return errors.Join(n.recordGone(released.Name), n.volumeIsGone(was))
	})

	// One after the other: what is restored now is restored again after it was removed.
	n.editVolume("data", func(s *v1alpha1.VolumeSpec) { s.RestoreFrom, s.ReclaimPolicy = "", v1alpha1.ReclaimDelete })
	n.volumeSays("data", "")
	n.spoil(n.directory(node, volume.Name(n.volume("data"))))
	was = n.restore("data", "db", "second")
	n.wantTree(node, "data", second, "it was restored again")
	await(t, soon, "what it had is gone", func() error { return n.volumeIsGone(was) })
	await(t, soon, "nothing else is left", func() error { return n.untidy(dir, map[string]int{"node1": 1}) })

	n.remove(snapshotOf("first", "data", "in-place"))
	await(t, soon, "an archive goes with its snapshot", func() error { return n.untidy(dir, map[string]int{"node1": 1}) })
	n.remove(app("db", "v1"))
	n.remove(volumeNamed("data", ""))
	await(t, soon, "snapshots outlive their Volume", func() error { return n.untidy(dir, nil) })
	n.create(restoring("new", "", "second"))
	n.run(app("db", "v1", mounting("new")))
	n.wantTree(node, "new", second, "the Volume was gone")
}

// restore has a snapshot restored in the Volume of a container that runs. It runs on until the switch, and is then started
// once. It returns what the engine called the data until then.
func (n *tenant) restore(name, container, snapshot string) (was string) {
	n.t.Helper()

	before := n.volume(name)
	tasks := n.taskIDs(container)
	n.editVolume(name, func(s *v1alpha1.VolumeSpec) { s.RestoreFrom = v1alpha1.ObjectName(snapshot) })
	await(n.t, atLast, "the record names another volume of the engine", func() error {
		// Tasks first: what ran before the record had changed is what counts.
		run := n.taskIDs(container)
		now := n.volume(name)
		if volume.Name(now) != volume.Name(before) {
			return nil
		}
		if !maps.Equal(run, tasks) {
			n.t.Fatalf("the tasks are %v, and were %v, before the restore was done: %+v", run, tasks, now.Status.Restore)
		}

		return fmt.Errorf("restore %+v, %+v", now.Status.Restore, now.Status.Conditions)
	})
	now := n.restored(name, snapshot)
	n.ready(container)
	await(n.t, atLast, container+" mounts what was restored", func() error {
		s, err := n.inspect(container)
		if err != nil {
			return err
		}

		return wantf(s.Spec.TaskTemplate.ContainerSpec.Mounts[0].Source, volume.Name(now), "mount")
	})

	all, err := n.tasks(container)
	if err != nil {
		n.t.Fatal(err)
	}
	started := 0
	for _, task := range all {
		if task.Spec.ContainerSpec.Mounts[0].Source == volume.Name(now) {
			started++
		}
	}
	if started != 1 {
		n.t.Errorf("%d tasks were started with what was restored, want 1", started)
	}

	return volume.Name(before)
}

// wantTree holds the data of a Volume against what it was.
func (n *tenant) wantTree(node *lab.Node, name string, want map[string]string, after string) {
	n.t.Helper()

	if err := sameTree(n.tree(node, volume.Name(n.volume(name))), want); err != nil {
		n.t.Errorf("after %s Volume %s is not what it was: %v", after, name, err)
	}
}

// spoil changes, adds and removes files.
func (n *tenant) spoil(dir string) {
	n.t.Helper()

	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "plain"), []byte("something else"), 0o600), os.WriteFile(filepath.Join(dir, "new"), []byte("new"), 0o600),
		os.RemoveAll(filepath.Join(dir, "large")), os.Chmod(filepath.Join(dir, "none"), 0o777), os.RemoveAll(filepath.Join(dir, "deep")),
	); err != nil {
		n.t.Fatal(err)
	}
}

func (n *tenant) volumeIsGone(name string) error {
	there, err := n.engineHas(name)
	if err == nil && there {
		err = fmt.Errorf("%s is there", name)
	}

	return err
}
