package directory_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/directory"
	"github.com/dogker/dogker/internal/voldata/store/storetest"
)

func newStore(t *testing.T) (*directory.Directory, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}

	return s, dir
}

func TestStore(t *testing.T) {
	s, _ := newStore(t)
	storetest.Run(t, s)
}

func TestBadPaths(t *testing.T) {
	for _, dir := range []string{"", "relative", "/", "/a/../b", "/a/"} {
		if _, err := directory.New(dir); err == nil {
			t.Errorf("%q is taken for a directory of a store", dir)
		}
	}
}

// TestMissingDirectory wants a disk that is not mounted to be told, and nothing to be made in its place.
func TestMissingDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "disk")
	s, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, put := s.Put(t.Context(), "a", strings.NewReader("x"))
	_, list := s.List(t.Context(), "")
	for what, err := range map[string]error{"put": put, "list": list} {
		if !errors.Is(err, store.ErrNotFound) || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want ErrNotFound without the path", what, err)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the directory was made")
	}
}

// TestStaysInside wants links in the directory to lead nowhere.
func TestStaysInside(t *testing.T) {
	s, dir := newStore(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}

	if _, err := s.Put(t.Context(), "out/new", strings.NewReader("x")); err == nil {
		t.Error("something was put through a link")
	}
	for _, name := range []string{"out/secret", "link", "pipe"} {
		if _, err := s.Get(t.Context(), name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if names := storetest.Names(t, s, ""); len(names) > 0 {
		t.Errorf("%v is listed, want nothing", names)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("outside there are %v, %v, want the one file", entries, err)
	}
}

// TestKilled is an upload whose process has died: nobody sees it, and it goes when it is old.
func TestKilled(t *testing.T) {
	s, dir := newStore(t)
	part := filepath.Join(dir, "acme", ".upload-1")
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(part, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if names := storetest.Names(t, s, ""); len(names) > 0 {
		t.Errorf("%v is listed, want nothing", names)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Errorf("%d were swept that may still be written, %v", n, err)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); n != 1 || err != nil {
		t.Errorf("%d were swept, %v, want the one", n, err)
	}
	if _, err := os.Stat(part); err == nil {
		t.Error("it is still there")
	}
}

// TestFull is a disk without room, of which the last of the file is told by the file system alone.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting needs root")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	s, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "acme/big", io.LimitReader(zeros{}, 8<<20)); !errors.Is(err, store.ErrFull) {
		t.Errorf("error is %v, want ErrFull", err)
	}
	if names := storetest.Names(t, s, ""); len(names) > 0 {
		t.Errorf("%v is listed, want nothing", names)
	}
	if _, err := s.Put(t.Context(), "acme/small", strings.NewReader("x")); err != nil {
		t.Errorf("a small one afterwards: %v, want it to fit: the part must be gone", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)

	return len(p), nil
}
