//go:build e2e

package voldata_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sys/unix"

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

// populate puts everything into a directory that a file system can hold.
func populate(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, data []byte, mode os.FileMode, uid, gid int) {
		t.Helper()
		must(os.WriteFile(at(name), data, 0o600))
		must(os.Chown(at(name), uid, gid))
		must(os.Chmod(at(name), mode))
	}

	must(os.Chown(dir, 999, 998))
	must(os.Chmod(dir, 0o750|os.ModeSticky))
	write("plain", []byte("hello\n"), 0o644, 0, 0)
	write("empty", nil, 0o400, 70_000, 4_000_000_000)
	write("setuid", []byte("x"), 0o755|os.ModeSetuid|os.ModeSetgid, 1000, 1000)
	write("nobody", []byte("x"), 0, 65534, 65534)
	for _, name := range []string{"ümläut 日本", "line\nbreak", "latin\xff", " space ", "-dash", ".wh.whiteout", ".wh..wh..opq", "back\\slash", "quote'\"", "tab\t", "*?[", strings.Repeat("n", 255)} {
		write(name, []byte(name), 0o600, 1, 2)
	}
	must(os.MkdirAll(at("dir/empty"), 0o700))
	must(os.MkdirAll(at("dir.x"), 0o700))
	must(os.MkdirAll(at("deep/"+strings.Repeat("d/", 200)), 0o700))
	write("deep/"+strings.Repeat("d/", 200)+"file", []byte("deep"), 0o600, 0, 0)

	noise := make([]byte, 24<<20)
	_, _ = rand.Read(noise)
	write("large", noise, 0o600, 0, 0)
	f, err := os.Create(at("sparse"))
	must(err)
	_, err = f.WriteAt([]byte("end"), 64<<20)
	must(errors.Join(err, f.Close()))

	must(os.Symlink("plain", at("to-plain")))
	must(os.Symlink("/etc/passwd", at("to-absolute")))
	must(os.Symlink("../../../../../../etc/shadow", at("to-outside")))
	must(os.Symlink("nowhere/"+strings.Repeat("x", 2000), at("to-nowhere")))
	must(os.Lchown(at("to-plain"), 5, 6))
	must(os.Link(at("plain"), at("dir/hard")))
	must(os.Link(at("to-plain"), at("hard-to-symlink")))
	must(os.Link(at("setuid"), at("z-hard")))
	must(syscall.Mkfifo(at("fifo"), 0o640))
	must(syscall.Mknod(at("null"), syscall.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
	must(unix.Setxattr(at("plain"), "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))
	must(unix.Setxattr(at("plain"), "user.note", []byte("kept?"), 0))

	for i, name := range []string{"plain", "empty", "dir/empty", "dir", "ümläut 日本", "to-plain"} {
		when := unix.NsecToTimespec(time.Date(2001+i, 2, 3, 4, 5, 6, 789, time.UTC).UnixNano())
		must(unix.UtimesNanoAt(unix.AT_FDCWD, at(name), []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW))
	}
	old := unix.Timespec{Sec: -86400}
	must(unix.UtimesNanoAt(unix.AT_FDCWD, at("latin\xff"), []unix.Timespec{old, old}, 0))
	when := unix.NsecToTimespec(time.Date(2010, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano())
	must(unix.UtimesNanoAt(unix.AT_FDCWD, dir, []unix.Timespec{when, when}, 0))
}

// tree is what is in a directory, as the kernel says, one line for each name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, first := map[string]string{}, map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return err
		}
		line := fmt.Sprintf("%o %d:%d mtime %d rdev %d", s.Mode, s.Uid, s.Gid, max(s.Mtim.Sec, 0), s.Rdev)
		switch {
		case d.Type().IsRegular():
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			buf := make([]byte, 64)
			n, _ := unix.Lgetxattr(path, "security.capability", buf)
			line += fmt.Sprintf(" data %s caps %x", sum(data), buf[:max(n, 0)])
		case d.Type()&os.ModeSymlink != 0:
			to, err := os.Readlink(path)
			if err != nil {
				return err
			}
			line += " to " + to
		}
		if !d.IsDir() && s.Nlink > 1 {
			if one, known := first[s.Ino]; known {
				line += " same as " + one
			} else {
				first[s.Ino] = rel
			}
		}
		out[rel] = line

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return out
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for name, line := range want {
		if got[name] != line {
			t.Errorf("%s: %.60q is %.200q, want %.200q", what, name, got[name], line)
		}
	}
	for name := range got {
		if _, is := want[name]; !is {
			t.Errorf("%s: %.60q is there and was not", what, name)
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

// hostile is a tar of a volume and what else is given, unchecked.
func hostile(t *testing.T, more ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, h := range append([]tar.Header{{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755}}, more...) {
		data := []byte("pwned")
		if h.Size == 0 {
			data = nil
		}
		if err := out.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}

	return b.Bytes()
}

// TestLiveHostile gives engines tars that try to leave the volume: through our checks, which refuse them, and around our
// checks, where the engine itself must keep them in a container that is thrown away.
func TestLiveHostile(t *testing.T) {
	w := newLive(t)
	marks := []string{"/tmp/dogker-pwned", "/etc/dogker-pwned", "/dogker-pwned"}
	unmarked := func(name string) {
		t.Helper()
		for _, m := range marks {
			if _, err := os.Lstat(m); err == nil {
				t.Errorf("%s: %s was written on the node", name, m)
				os.Remove(m)
			}
		}
	}
	reg := func(name string) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: 5}
	}
	link := func(name, to string) tar.Header {
		return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to}
	}

	for name, entries := range map[string][]tar.Header{
		"Absolute":       {reg("/tmp/dogker-pwned")},
		"Parent":         {reg("volume/../../../../../../../../tmp/dogker-pwned")},
		"ThroughSymlink": {link("volume/out", "/tmp"), reg("volume/out/dogker-pwned")},
		"ThroughParents": {link("volume/out", "../../../../../../../../../tmp"), reg("volume/out/dogker-pwned")},
		"ThroughTwo":     {link("volume/a", "b"), link("volume/b", "/tmp"), reg("volume/a/dogker-pwned")},
		"RootReplaced":   {link("volume", "/tmp"), reg("volume/dogker-pwned")},
		"HardLink":       {{Typeflag: tar.TypeLink, Name: "volume/a", Linkname: "/etc/hostname"}},
	} {
		data := hostile(t, entries...)
		_, err := w.a.Write(t.Context(), voldata.Target{Name: "acme_hostile", Operation: name}, func(out io.Writer) (content.Summary, error) {
			return content.Copy(out, bytes.NewReader(data), content.Options{})
		})
		if !errors.Is(err, content.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
		unmarked(name)

		// Around the checks: what is said to have been written is not there, or the engine refuses it.
		_, err = w.a.Write(t.Context(), voldata.Target{Name: "acme_hostile", Operation: name}, func(out io.Writer) (content.Summary, error) {
			_, err := out.Write(data)

			return content.Summary{Digest: "volume1:0"}, err
		})
		if err == nil {
			t.Errorf("%s: around the checks it is taken", name)
		}
		unmarked(name)
		if _, err := w.lab.Nodes[0].Docker.VolumeInspect(t.Context(), "acme_hostile"); err == nil {
			t.Errorf("%s: the volume is left", name)
		}
	}
	w.clean()
}

func sum(data []byte) string {
	s := sha256.Sum256(data)

	return hex.EncodeToString(s[:8])
}
