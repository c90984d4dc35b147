//go:build e2e

package voldata_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/lab"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/snapshot"
	"github.com/dogker/dogker/internal/voldata/store/directory"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// live is two engines that know nothing of each other.
type live struct {
	t    *testing.T
	lab  *lab.Lab
	a, b *voldata.Volumes
}

func newLive(t *testing.T) *live {
	t.Helper()
	l := lab.Start(t, lab.Options{Nodes: 2, NoSwarm: true, Versions: []string{"v1"}})
	w := &live{t: t, lab: l}
	w.a = voldata.New(l.Nodes[0].Docker, voldata.Options{Holder: "server-1"})
	w.b = voldata.New(l.Nodes[1].Docker, voldata.Options{Holder: "server-1"})

	return w
}

// make makes a volume on a node and returns its directory there: the engines are on this machine.
func (w *live) make(node int, name string) string {
	w.t.Helper()
	v, err := w.lab.Nodes[node].Docker.VolumeCreate(w.t.Context(), volume.CreateOptions{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}

	return v.Mountpoint
}

func (w *live) dirOf(node int, name string) string {
	w.t.Helper()
	v, err := w.lab.Nodes[node].Docker.VolumeInspect(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}

	return v.Mountpoint
}

// clean fails the test when a container of ours is left on a node.
func (w *live) clean() {
	w.t.Helper()
	for i, n := range w.lab.Nodes {
		all, err := n.Docker.ContainerList(w.t.Context(), container.ListOptions{All: true})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range all {
			w.t.Errorf("container %v is left on node %d", c.Names, i)
		}
	}
}

// TestLiveCopies takes a volume with everything in it from one engine to another, and through an archive into a third one.
func TestLiveCopies(t *testing.T) {
	w := newLive(t)
	populate(t, w.make(0, "acme_data"))
	want := tree(t, w.dirOf(0, "acme_data"))

	before, err := w.a.Digest(t.Context(), "acme_data", content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if int(before.Entries) != len(want) {
		t.Errorf("it has %d entries, want %d", before.Entries, len(want))
	}
	sum, err := w.a.Copy(t.Context(), "acme_data", w.b, voldata.Target{Name: "acme_data", Labels: map[string]string{"mine": "yes"}, Operation: "move/1/1/1"}, content.Options{})
	if err != nil {
		t.Fatalf("copy: %v (%v)", err, cause(err))
	}
	if sum != before {
		t.Errorf("the copy is %+v, want %+v", sum, before)
	}
	same(t, "copied", want, tree(t, w.dirOf(1, "acme_data")))
	same(t, "the source", want, tree(t, w.dirOf(0, "acme_data")))
	if got, err := w.lab.Nodes[1].Docker.VolumeInspect(t.Context(), "acme_data"); err != nil || got.Labels["mine"] != "yes" {
		t.Errorf("its labels are %v, %v, want those that were asked for", got.Labels, err)
	}

	place := newPlace(t)
	origin := archive.Origin{Namespace: "acme", Volume: "data", UID: "5a1c", Time: time.Now()}
	saved, err := snapshot.Save(t.Context(), w.a, "acme_data", origin, place, snapshot.Quiet{}, content.Options{})
	if err != nil {
		t.Fatalf("save: %v (%v)", err, cause(err))
	}
	if saved.Content != before {
		t.Errorf("the archive holds %+v, want %+v", saved.Content, before)
	}
	again, err := snapshot.Save(t.Context(), w.a, "acme_data", origin, place, snapshot.Quiet{}, content.Options{})
	if err != nil || !again.SameAs(saved) {
		t.Errorf("saved again it is %+v, %v, want what was there", again, err)
	}
	if _, err := snapshot.Restore(t.Context(), place, "5a1c", w.b, voldata.Target{Name: "acme_restored", Operation: "restore/1/1"}, content.Options{}); err != nil {
		t.Fatalf("restore: %v (%v)", err, cause(err))
	}
	same(t, "restored", want, tree(t, w.dirOf(1, "acme_restored")))
	w.clean()
}

func newPlace(t *testing.T) snapshot.Place {
	t.Helper()
	dir, err := directory.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := archive.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := archive.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return snapshot.Place{Store: dir, Name: "acme/data/1.age", Key: k}
}

func cause(err error) error {
	var e *voldata.Error
	if errors.As(err, &e) {
		return e.Cause()
	}

	return nil
}

// TestLiveRefusals wants nothing made where something was to be read, and nothing touched that is somebody's.
func TestLiveRefusals(t *testing.T) {
	w := newLive(t)
	docker := w.lab.Nodes[0].Docker

	if _, err := w.a.Read(t.Context(), "acme_none"); !errors.Is(err, swarmobj.ErrNotFound) {
		t.Errorf("reading what is missing: %v, want ErrNotFound", err)
	}
	if list, err := docker.VolumeList(t.Context(), volume.ListOptions{}); err != nil || len(list.Volumes) > 0 {
		t.Errorf("there are volumes %v, %v, want none", list.Volumes, err)
	}

	dir := w.make(0, "acme_taken")
	if err := os.WriteFile(filepath.Join(dir, "precious"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"write":   second(w.a.Write(t.Context(), voldata.Target{Name: "acme_taken", Operation: "x"}, plain(t))),
		"discard": w.a.Discard(t.Context(), "acme_taken", "x"),
		"nobody":  w.a.Discard(t.Context(), "acme_taken", ""),
	} {
		if !errors.Is(err, swarmobj.ErrExists) {
			t.Errorf("%s of what somebody else has made: %v, want ErrExists", what, err)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "precious")); err != nil || string(data) != "data" {
		t.Errorf("it holds %q, %v, want what was there", data, err)
	}

	// A write that fails takes its volume away; one that was interrupted leaves it, for Discard.
	broken := errors.New("the source has gone")
	_, err := w.a.Write(t.Context(), voldata.Target{Name: "acme_half", Operation: "x"}, func(out io.Writer) (content.Summary, error) {
		_, _ = io.CopyN(out, bytes.NewReader(make([]byte, 512)), 512)

		return content.Summary{}, broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("a source that breaks off: %v, want that", err)
	}
	if _, err := docker.VolumeInspect(t.Context(), "acme_half"); err == nil {
		t.Error("half a volume is left")
	}
	if _, err := w.a.Write(t.Context(), voldata.Target{Name: "acme_new", Operation: "x"}, plain(t)); err != nil {
		t.Fatalf("write: %v (%v)", err, cause(err))
	}
	if _, err := w.a.Write(t.Context(), voldata.Target{Name: "acme_new", Operation: "x"}, plain(t)); !errors.Is(err, swarmobj.ErrExists) {
		t.Errorf("the same try again: %v, want ErrExists", err)
	}

	// What runs with it keeps it.
	user, err := docker.ContainerCreate(t.Context(), &container.Config{Image: lab.Image("v1")}, &container.HostConfig{
		Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: "acme_new", Target: "/data"}},
	}, nil, nil, "user")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.a.Discard(t.Context(), "acme_new", "x"); !errors.Is(err, swarmobj.ErrInUse) {
		t.Errorf("discarding what is mounted: %v, want ErrInUse", err)
	}
	if err := docker.ContainerRemove(t.Context(), user.ID, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}

	there, err := w.a.Digest(t.Context(), "acme_new", content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		operation, digest string
		gone              bool
	}{"another digest": {"x", "volume1:0", false}, "another maker": {"y", there.Digest, false}} {
		if gone, err := w.a.RemoveSame(t.Context(), "acme_new", c.operation, c.digest); err != nil || gone {
			t.Errorf("removing one of %s: %t, %v, want it left alone", what, gone, err)
		}
	}
	for range 2 {
		if gone, err := w.a.RemoveSame(t.Context(), "acme_new", "x", there.Digest); err != nil || !gone {
			t.Errorf("removing the one that is meant: %t, %v, want it gone", gone, err)
		}
	}
	w.clean()
}

func second[A any](_ A, err error) error { return err }

// plain writes a volume with one file.
func plain(t *testing.T) func(io.Writer) (content.Summary, error) {
	return func(out io.Writer) (content.Summary, error) {
		return content.Copy(out, bytes.NewReader(hostile(t, tar.Header{Typeflag: tar.TypeReg, Name: "volume/a", Mode: 0o644})), content.Options{})
	}
}
