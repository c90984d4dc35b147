package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAcquire(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	d, lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{path, d.PKI(), filepath.Dir(d.EncryptionConfig()), filepath.Dir(d.AuditLog())} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v; want 700", dir, info.Mode(), err)
		}
	}

	// A lock belongs to an open file, so a second one in this process meets it like one in another process.
	_, _, err = Acquire(path)
	var inUse *InUseError
	if !errors.As(err, &inUse) {
		t.Fatalf("a second holder got %v", err)
	}
	if diff := cmp.Diff(InUseError{Path: path, PID: os.Getpid()}, *inUse); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	_, lock, err = Acquire(path)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	_ = lock.Release()
}

// TestAcquireTakesRightsAway: a directory that others could read is theirs no longer.
func TestAcquireTakesRightsAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	_, lock, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v; want 700", info.Mode(), err)
	}
}

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	write := func(content string) os.FileInfo {
		t.Helper()
		if err := WriteFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != content {
			t.Fatalf("the file holds %q, %v; want %q", got, err, content)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}

	first := write("a")
	if first.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 600", first.Mode())
	}
	if same := write("a"); !os.SameFile(first, same) || !same.ModTime().Equal(first.ModTime()) {
		t.Error("the same content was written again")
	}
	if changed := write("b"); os.SameFile(first, changed) {
		t.Error("the file was changed in place: a crash could leave half of it")
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files are left, want 1", len(entries))
	}
}

func TestIdentity(t *testing.T) {
	d := At(t.TempDir())
	made, err := d.Identity()
	if err != nil || made.Server == "" || made.Cluster != "" {
		t.Fatalf("a first start makes %+v, %v", made, err)
	}
	made.Cluster = "c"
	if err := d.SetIdentity(made); err != nil {
		t.Fatal(err)
	}

	kept, err := d.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, kept); diff != "" {
		t.Errorf("the identity changed (-want +got):\n%s", diff)
	}
}

// TestDamagedIdentity: a server does not make up a new identity over one that it cannot read.
func TestDamagedIdentity(t *testing.T) {
	for name, content := range map[string]string{"NotJSON": "{", "Empty": "{}"} {
		t.Run(name, func(t *testing.T) {
			d := At(t.TempDir())
			if err := os.WriteFile(d.identity(), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if id, err := d.Identity(); err == nil {
				t.Errorf("it was read as %+v", id)
			}
		})
	}
}
