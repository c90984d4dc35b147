package identity

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"k8s.io/apiserver/pkg/storage/value/encrypt/secretbox"

	"github.com/dogker/dogker/internal/controlplane/etcd"
)

func openEtcd(t *testing.T) *clientv3.Client {
	t.Helper()
	store, err := etcd.Open(t.Context(), etcd.Config{Dir: filepath.Join(t.TempDir(), "etcd"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })

	return store.Client
}

// TestEtcd holds the real store to what the one in memory promises to the other tests.
func TestEtcd(t *testing.T) {
	client := openEtcd(t)
	kv := NewEtcd(client, secretbox.NewSecretboxTransformer([32]byte{1}), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	_, start, err := kv.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	news := make(chan Entry, 10)
	watch, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- kv.Watch(watch, start, func(entries []Entry) {
			for _, e := range entries {
				news <- e
			}
		})
	}()

	v1, err := kv.Put(ctx, "a", []byte("sesame"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(ctx, "a", []byte("other"), 0); !errors.Is(err, ErrConflict) {
		t.Errorf("making what exists gives %v", err)
	}
	if _, err := kv.Delete(ctx, "b", 0); err != nil && !errors.Is(err, ErrConflict) {
		t.Errorf("removing what is not there gives %v", err)
	}
	v2, err := kv.Put(ctx, "a", []byte("open"), v1)
	if err != nil || v2 <= v1 {
		t.Fatalf("the next version after %d is %d, %v", v1, v2, err)
	}
	if _, err := kv.Put(ctx, "a", []byte("late"), v1); !errors.Is(err, ErrConflict) {
		t.Errorf("replacing an old version gives %v", err)
	}
	if got, err := kv.Get(ctx, "a"); err != nil || string(got.Value) != "open" || got.Version != v2 {
		t.Errorf("got %q of %d, %v", got.Value, got.Version, err)
	}
	raw, err := client.Get(ctx, "/dogker/", clientv3.WithPrefix())
	if err != nil || len(raw.Kvs) != 1 {
		t.Fatalf("%v, %v", raw, err)
	}
	if bytes.Contains(raw.Kvs[0].Value, []byte("open")) {
		t.Error("the value lies in plain text")
	}

	v3, err := kv.Delete(ctx, "a", v2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Get(ctx, "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("reading what is gone gives %v", err)
	}
	for i, want := range []Entry{{"a", []byte("sesame"), v1, false}, {"a", []byte("open"), v2, false}, {"a", nil, v3, false}} {
		if got := <-news; got.Key != want.Key || !bytes.Equal(got.Value, want.Value) || got.Version != want.Version {
			t.Errorf("news %d is %v, want %v", i, got, want)
		}
	}
	stop()
	if err := <-ended; err == nil {
		t.Error("a watch that ended says that all is well")
	}
}

// TestEtcdRecordThatDoesNotOpen costs nobody else anything.
func TestEtcdRecordThatDoesNotOpen(t *testing.T) {
	client := openEtcd(t)
	kv := NewEtcd(client, secretbox.NewSecretboxTransformer([32]byte{1}), slog.New(slog.DiscardHandler))
	other := NewEtcd(client, secretbox.NewSecretboxTransformer([32]byte{2}), slog.New(slog.DiscardHandler))
	for _, key := range []string{"a", "b"} {
		if _, err := kv.Put(t.Context(), key, []byte(key), 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.Put(t.Context(), "c", []byte("c"), 0); err != nil {
		t.Fatal(err)
	}
	entries, _, err := kv.List(t.Context())
	if err != nil || len(entries) != 2 {
		t.Errorf("%d records are read, %v; want the two that open", len(entries), err)
	}
}
