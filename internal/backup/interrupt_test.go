package backup

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// TestInterrupted stops a restore after every single thing that it moves, as kill -9 does, and wants no server to start on
// what there is, and the next restore to end well.
func TestInterrupted(t *testing.T) {
	names := append([]string{"etcd", identityName}, folders...)

	for moved := range len(names) + 1 {
		dir := datadir.At(filepath.Join(t.TempDir(), "data"))
		staging := dir.Restoring()
		for _, name := range append([]string{"etcd"}, folders...) {
			if err := os.MkdirAll(filepath.Join(staging, name), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(staging, name, "content"), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for name, content := range map[string]string{identityName: "{}", manifestName: `{"cluster":"c"}`, committed: "yes\n"} {
			if err := os.WriteFile(filepath.Join(staging, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range names[:moved] {
			if err := os.Rename(filepath.Join(staging, name), filepath.Join(dir.Path(), name)); err != nil {
				t.Fatal(err)
			}
		}

		if _, lock, err := datadir.Acquire(dir.Path()); err == nil {
			t.Errorf("a server starts on a restore of which %d of %d parts are there", moved, len(names))
			_ = lock.Release()
		}

		// The file is not needed any more: all of it was read.
		m, err := Restore(t.Context(), RestoreOptions{File: "gone", DataDir: dir.Path()})
		if err != nil || m.Cluster != "c" {
			t.Errorf("after %d parts the next restore ends with %+v, error %v", moved, m, err)
		}
		for _, name := range append([]string{"etcd"}, folders...) {
			if raw, err := os.ReadFile(filepath.Join(dir.Path(), name, "content")); err != nil || string(raw) != name {
				t.Errorf("after %d parts %s holds %q, error %v", moved, name, raw, err)
			}
		}
		if _, lock, err := datadir.Acquire(dir.Path()); err != nil {
			t.Errorf("no server starts on a restore that has ended: %v", err)
		} else {
			_ = lock.Release()
		}
	}
}

// TestInterruptedBefore wants what an earlier restore has unpacked, and not finished reading, to be thrown away.
func TestInterruptedBefore(t *testing.T) {
	dir := datadir.At(filepath.Join(t.TempDir(), "data"))
	if err := os.MkdirAll(filepath.Join(dir.Restoring(), "pki"), 0o700); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, []byte("no backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), RestoreOptions{File: file, DataDir: dir.Path()}); err == nil {
		t.Fatal("nonsense was restored")
	}
	if _, err := os.Stat(dir.Restoring()); err == nil {
		t.Error("what was unpacked is still there")
	}
}

// Nonsense is a backup that is whole, and whose snapshot is not one.
func Nonsense() ([]byte, error) {
	var b bytes.Buffer
	w, err := newWriter(&b, nil, time.Unix(0, 0))
	if err != nil {
		return nil, err
	}
	for name, content := range map[string]string{snapshotName: string(bytes.Repeat([]byte("nonsense"), 1000)), identityName: "{}"} {
		if err := w.add(name, int64(len(content)), bytes.NewReader([]byte(content))); err != nil {
			return nil, err
		}
	}
	_, err = w.close(Manifest{Cluster: "c"})

	return b.Bytes(), err
}
