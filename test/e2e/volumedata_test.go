//go:build e2e

package e2e

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/docker/docker/api/types/container"
	volumes "github.com/docker/docker/api/types/volume"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

// This file knows data as the kernel shows it: the engines of a lab keep it on this machine.

// cellWithAgents has nodes of which one is a manager, and a server that reaches the agents on all of them.
func cellWithAgents(t *testing.T, nodes int) *cell {
	t.Helper()

	c := prepareCell(t, lab.Options{Nodes: nodes, Managers: 1, Versions: []string{"v1"}})
	c.server.args, c.server.within = withAgents(t, c.lab), c.lab.Nodes[0]
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}

	return c
}

// archives makes a VolumeSnapshotClass that keeps snapshots in a directory, and returns that. It stays until all tests are
// done, because snapshots are deleted when their test ends.
func (c *cell) archives(t *testing.T, class string) string {
	t.Helper()

	dir, err := os.MkdirTemp(scratch, "archives-")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.api.Create(t.Context(), &v1alpha1.VolumeSnapshotClass{
		ObjectMeta: metav1.ObjectMeta{Name: class},
		Spec:       v1alpha1.VolumeSnapshotClassSpec{Directory: &v1alpha1.SnapshotDirectory{Path: v1alpha1.AbsolutePath(dir)}},
	}); err != nil {
		t.Fatalf("create VolumeSnapshotClass %q: %v", class, err)
	}

	return dir
}

// snapshotOf is a snapshot of a Volume, in the class of that name.
func snapshotOf(name, volume, class string) *v1alpha1.VolumeSnapshot {
	return &v1alpha1.VolumeSnapshot{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1alpha1.VolumeSnapshotSpec{Source: v1alpha1.VolumeSnapshotSource{VolumeName: v1alpha1.DNSLabel(volume)}, ClassName: v1alpha1.DNSLabel(class)},
	}
}

// save makes a snapshot and waits until it is ready.
func (n *tenant) save(name, volume, class string) *v1alpha1.VolumeSnapshot {
	n.t.Helper()

	n.create(snapshotOf(name, volume, class))

	return n.saved(name)
}

func (n *tenant) saved(name string) *v1alpha1.VolumeSnapshot {
	n.t.Helper()

	var s v1alpha1.VolumeSnapshot
	await(n.t, atLast, "snapshot "+name+" is ready", func() error { return n.isSaved(name, &s) })
	check.Status(n.t, &s)
	if s.Status.Digest == "" || s.Status.ArchiveName == "" || s.Status.ArchiveSHA256 == "" || s.Status.CreationTime == nil || s.Status.Attempt != nil {
		n.t.Errorf("the status of snapshot %s is %+v", name, s.Status)
	}

	return &s
}

func (n *tenant) isSaved(name string, s *v1alpha1.VolumeSnapshot) error {
	if err := n.api.Get(n.t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, s); err != nil {
		return err
	}
	if ready := conditions.Get(s, conditions.Ready); ready == nil || ready.Status != metav1.ConditionTrue || ready.Reason != v1alpha1.ReasonSnapshotReady {
		return fmt.Errorf("it says %+v, with %d failures", ready, s.Status.Failures)
	}

	return nil
}

// editVolume changes the spec of a Volume, as `kubectl patch` would.
func (n *tenant) editVolume(name string, change func(*v1alpha1.VolumeSpec)) {
	n.t.Helper()

	before := n.volume(name)
	after := before.DeepCopy()
	change(&after.Spec)
	if err := n.api.Patch(n.t.Context(), after, client.MergeFrom(before)); err != nil {
		n.t.Fatalf("change Volume %q: %v", name, err)
	}
}

// volumeSays waits until a Volume is ready or not for that reason; until it is ready when the reason is empty.
func (n *tenant) volumeSays(name, reason string) *v1alpha1.Volume {
	n.t.Helper()

	var v *v1alpha1.Volume
	await(n.t, atLast, fmt.Sprintf("Volume %s says %q", name, reason), func() error {
		v = n.volume(name)
		ready := conditions.Get(v, conditions.Ready)
		if ready == nil || ready.ObservedGeneration != v.Generation || reason == "" && ready.Status != metav1.ConditionTrue || reason != "" && ready.Reason != reason {
			return fmt.Errorf("it says %+v; move %+v, restore %+v", ready, v.Status.Move, v.Status.Restore)
		}

		return nil
	})
	check.Status(n.t, v)

	return v
}

// restored waits until the data of a Volume is that of the snapshot, and nothing is under way any more.
func (n *tenant) restored(name, snapshot string) *v1alpha1.Volume {
	n.t.Helper()

	var v *v1alpha1.Volume
	await(n.t, atLast, fmt.Sprintf("snapshot %s is restored in Volume %s", snapshot, name), func() error {
		v = n.volume(name)
		if r := v.Status.Restored; r == nil || string(r.Snapshot) != snapshot || v.Status.Restore != nil || len(v.Status.Superseded) > 0 {
			return fmt.Errorf("it says %+v; restored %+v, restore %+v, superseded %+v", conditions.Get(v, conditions.Ready), r, v.Status.Restore, v.Status.Superseded)
		}

		return nil
	})

	return n.volumeSays(v.Name, "")
}

// directory is where the engine of a node keeps a volume.
func directory(node *lab.Node, name string) (string, error) {
	ctx, cancel := contextFor(instant)
	defer cancel()
	v, err := node.Docker.VolumeInspect(ctx, name)

	return v.Mountpoint, err
}

func (n *tenant) directory(node *lab.Node, name string) string {
	n.t.Helper()

	dir, err := directory(node, name)
	if err != nil {
		n.t.Fatal(err)
	}

	return dir
}

// node is the one of the lab that Swarm knows by that name or ID.
func (n *tenant) node(id string) *lab.Node {
	n.t.Helper()

	for _, known := range n.nodes() {
		for _, l := range n.lab.Nodes {
			if l.Name == known.Description.Hostname && (id == l.Name || id == known.ID) {
				return l
			}
		}
	}
	n.t.Fatalf("there is no node %q", id)

	return nil
}

// heap fills a directory with all sorts of entries, and with files of so many bytes that differ by the seed.
func heap(t *testing.T, dir, seed string, size int) {
	t.Helper()

	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(dir, 0o1770), os.Chown(dir, 999, 998), os.MkdirAll(at("dir/empty"), 0o750), os.MkdirAll(at("deep/"+strings.Repeat("d/", 40)), 0o700))
	for name, mode := range map[string]os.FileMode{
		"plain": 0o644, "dir/setuid": 0o755 | os.ModeSetuid, "none": 0, "ümläut 日本": 0o600, "line\nbreak": 0o600, "latin\xff": 0o600, ".wh.whiteout": 0o600,
		"deep/" + strings.Repeat("d/", 40) + "file": 0o640,
	} {
		must(os.WriteFile(at(name), []byte(seed+name), 0o600), os.Chown(at(name), 1000, 70_000), os.Chmod(at(name), mode))
	}
	block := make([]byte, size)
	for i := range block {
		block[i] = byte(i*7) ^ seed[i%len(seed)] ^ byte(i>>9)
	}
	must(os.WriteFile(at("large"), block, 0o600), os.WriteFile(at("empty"), nil, 0o400))
	must(os.Link(at("plain"), at("dir/hard")), os.Symlink("../plain", at("dir/soft")), os.Symlink("/etc/shadow", at("outside")), os.Symlink("nowhere", at("dangling")))
	must(syscall.Mkfifo(at("pipe"), 0o640))
}

// treeOf is what is in a directory, as the kernel says, one line for each name.
func treeOf(dir string) (map[string]string, error) {
	out, first := map[string]string{}, map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		var s syscall.Stat_t
		if err := syscall.Lstat(path, &s); err != nil {
			return err
		}
		line := fmt.Sprintf("mode %o of %d:%d at %d", s.Mode, s.Uid, s.Gid, s.Mtim.Sec)
		switch {
		case d.Type().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(", %d bytes %x", len(content), sha256.Sum256(content))
		case d.Type()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += ", to " + to
		}
		if !d.IsDir() && s.Nlink > 1 {
			if one, known := first[s.Ino]; known {
				line += ", same as " + one
			} else {
				first[s.Ino] = name
			}
		}
		out[name] = line

		return nil
	})

	return out, err
}

func (n *tenant) tree(node *lab.Node, volume string) map[string]string {
	n.t.Helper()

	tree, err := treeOf(n.directory(node, volume))
	if err != nil {
		n.t.Fatal(err)
	}

	return tree
}

// sameTree is an error that names what differs.
func sameTree(got, want map[string]string) error {
	var off []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			off = append(off, fmt.Sprintf("%.60q is %.160q, want %.160q", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, is := want[name]; !is {
			off = append(off, fmt.Sprintf("%.60q is there", name))
		}
	}
	if len(off) == 0 {
		return nil
	}

	return fmt.Errorf("%d names differ, first: %s", len(off), strings.Join(off[:min(3, len(off))], "; "))
}

// untidy is an error while anything is left of work with data: on each node the namespace has the volumes of that many Volumes
// and no others, no container of ours is left and none is paused, and in the directory, where there is one, there are the
// archives of the snapshots that there are, and nothing else.
func (n *tenant) untidy(archives string, want map[string]int) error {
	var off []string
	for _, node := range n.lab.Nodes {
		ctx, cancel := contextFor(instant)
		held, err1 := node.Docker.VolumeList(ctx, volumes.ListOptions{})
		all, err2 := node.Docker.ContainerList(ctx, container.ListOptions{All: true})
		cancel()
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		var names []string
		for _, v := range held.Volumes {
			if v.Labels[v1alpha1.SwarmLabelTenant] == n.name || strings.HasPrefix(v.Name, n.name+"_") {
				names = append(names, v.Name)
			}
		}
		if len(names) != want[node.Name] {
			off = append(off, fmt.Sprintf("%s has the volumes %q, want %d", node.Name, names, want[node.Name]))
		}
		for _, c := range all {
			if strings.HasPrefix(c.Names[0], "/dogker-volume-") || c.State == "paused" && strings.HasPrefix(c.Labels["com.docker.swarm.service.name"], n.name+"_") {
				off = append(off, fmt.Sprintf("%s has container %s, %s", node.Name, c.Names[0], c.State))
			}
		}
	}

	stored, err1 := filesIn(archives)
	var list v1alpha1.VolumeSnapshotList
	var released v1alpha1.ReleasedVolumeList
	if err := errors.Join(err1, n.api.List(n.t.Context(), &list, client.InNamespace(n.name)), n.api.List(n.t.Context(), &released)); err != nil {
		return err
	}
	var known []string
	for _, s := range list.Items {
		known = append(known, s.Status.ArchiveName)
	}
	slices.Sort(known)
	if archives != "" && !slices.Equal(stored, known) {
		off = append(off, fmt.Sprintf("there are the archives %q, want those of the snapshots: %q", stored, known))
	}
	for _, r := range released.Items {
		if r.Spec.From.Namespace == n.name {
			off = append(off, "there is ReleasedVolume "+r.Name)
		}
	}
	if len(off) == 0 {
		return nil
	}

	return errors.New(strings.Join(off, "; "))
}

// filesIn are the names of the files below a directory, sorted; none when it is empty.
func filesIn(dir string) (files []string, err error) {
	if dir == "" {
		return nil, nil
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files = append(files, name)

		return err
	})

	return files, err
}

// endsTidily deletes the namespace and demands that nothing of its data is left.
func (n *tenant) endsTidily(archives string) {
	n.t.Helper()

	if err := n.deleteNamespace(); err != nil {
		n.t.Fatalf("delete namespace %q: %v", n.name, err)
	}
	await(n.t, soon, "nothing is left", func() error {
		return errors.Join(n.leftovers(), n.untidy(archives, nil))
	})
}

func (n *tenant) diagnoseFailure() {
	if n.t.Failed() {
		n.diagnose()
	}
}
