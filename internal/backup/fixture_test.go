package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/backup"
	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
)

const cluster = "6f1c2a54-8f5e-4a2b-9a0e-1d3c5b7f9e11"

// server is the part of a server that a backup is made of: a data directory with keys, and a store.
type server struct {
	t     *testing.T
	dir   datadir.Dir
	lock  *datadir.Lock
	store *etcd.Store
}

// newServer starts one on a directory that it has never run on.
func newServer(t *testing.T) *server {
	t.Helper()
	// Paths of sockets are short.
	path, err := os.MkdirTemp("", "backup")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(path) })

	s := start(t, filepath.Join(path, "data"))
	for name, content := range map[string]string{
		"pki/ca.crt": "certificate", "pki/ca.key": "key", "pki/sa.key": "token key", "secrets/encryption.yaml": "encryption", "secrets/digest.key": "digest",
		// What is being written, and what is not ours.
		"pki/.ca.crt.123": "half", "admin.kubeconfig": "made anew", "audit/audit.log": "long",
	} {
		if err := os.WriteFile(filepath.Join(s.dir.Path(), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := etcd.Adopt(t.Context(), s.store.Client, etcd.Claim{Marker: etcd.Marker{Cluster: cluster}, Alone: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.dir.SetIdentity(datadir.Identity{Server: "server-1", Cluster: cluster}); err != nil {
		t.Fatal(err)
	}

	return s
}

// start starts a server on a directory, and stops it with the test.
func start(t *testing.T, path string) *server {
	t.Helper()
	dir, lock, err := datadir.Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := etcd.Open(t.Context(), etcd.Config{Dir: dir.Etcd(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t, dir, lock, store}
	t.Cleanup(s.stop)

	return s
}

func (s *server) stop() {
	if s.store == nil {
		return
	}
	if err := s.store.Close(); err != nil {
		s.t.Error(err)
	}
	if err := s.lock.Release(); err != nil {
		s.t.Error(err)
	}
	s.store = nil
}

func (s *server) put(from, to int) {
	s.t.Helper()
	for i := from; i < to; i++ {
		if _, err := s.store.Client.Put(context.Background(), fmt.Sprintf("/registry/things/%05d", i), fmt.Sprint(i)); err != nil {
			s.t.Error(err)

			return
		}
	}
}

// things are the keys that put has written, in order, and the revision of the store.
func (s *server) things() ([]string, int64) {
	s.t.Helper()
	got, err := s.store.Client.Get(context.Background(), "/registry/things/", clientv3.WithPrefix())
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, kv := range got.Kvs {
		out = append(out, string(kv.Value))
	}

	return out, got.Header.Revision
}

func (s *server) options(recipients ...age.Recipient) backup.CreateOptions {
	return backup.CreateOptions{DataDir: s.dir.Path(), Recipients: recipients, Dogker: "v1", Log: slog.New(slog.DiscardHandler)}
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}

	return identity
}

// bytesOf is a backup of the server.
func (s *server) bytesOf(recipients ...age.Recipient) []byte {
	s.t.Helper()
	var b bytes.Buffer
	if _, err := backup.Create(s.t.Context(), s.options(recipients...), &b, s.t.TempDir()); err != nil {
		s.t.Fatal(err)
	}

	return b.Bytes()
}

// restore restores a backup into a directory.
func restore(t *testing.T, content []byte, into string, identities ...age.Identity) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := backup.Restore(t.Context(), backup.RestoreOptions{File: file, Identities: identities, DataDir: into, Log: slog.New(slog.DiscardHandler)})

	return err
}

// files are all files below a directory but the store's, with what is in them.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path == "etcd" {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && path != "lock" {
			raw, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				return err
			}
			out[path] = string(raw)
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return out
}
