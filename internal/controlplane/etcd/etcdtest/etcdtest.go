// Package etcdtest gives the tests of a package one real etcd. It is started for the first test that asks, and ended by Main:
//
//	func TestMain(m *testing.M) { etcdtest.Main(m) }
//
// Tests share it, so each works below a prefix or on tenants of its own, or one after another. Its disk is memory where there is
// some, because what is tested is what it is told, and not how long a disk takes.
package etcdtest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/internal/controlplane/etcd"
)

// patience is how long the store may take to start, on a machine that is busy.
const patience = time.Minute

var (
	dir  string
	open = sync.OnceValues(start)
)

func start() (*etcd.Store, error) {
	var err error
	if dir, err = os.MkdirTemp("/dev/shm", "dogker-etcd-"); err != nil {
		dir, err = os.MkdirTemp("", "dogker-etcd-")
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	return etcd.Open(ctx, etcd.Config{Dir: filepath.Join(dir, "etcd"), Log: slog.New(slog.DiscardHandler)})
}

// Main runs the tests, ends the store if one of them has started it, and exits.
func Main(m *testing.M) {
	code := m.Run()
	if dir != "" {
		if s, err := open(); err == nil {
			_ = s.Close()
		}
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// Client is a client of the store.
func Client(t testing.TB) *clientv3.Client {
	t.Helper()
	s, err := open()
	if err != nil {
		t.Fatalf("start etcd: %v", err)
	}

	return s.Client
}
