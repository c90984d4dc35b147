// Package storetest is what every store has to hold, as tests. It is for tests alone.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/voldata/store"
)

// Large is more than one part of what a store may upload in parts.
const Large = 11 << 20

// Run holds an empty store against the contract. It is empty again afterwards.
func Run(t *testing.T, s store.Store) {
	t.Helper()

	t.Run("KeepsWhatItIsGiven", func(t *testing.T) { keeps(t, s) })
	t.Run("ReplacesNothing", func(t *testing.T) { replacesNothing(t, s) })
	t.Run("ListsByFolder", func(t *testing.T) { lists(t, s) })
	t.Run("MissingIsNotFound", func(t *testing.T) { missing(t, s) })
	t.Run("InterruptedIsNotThere", func(t *testing.T) { interrupted(t, s) })
	t.Run("RefusesNames", func(t *testing.T) { names(t, s) })
	t.Run("EndsWithItsContext", func(t *testing.T) { ends(t, s) })
}

// Bytes are so many that look like an archive: they cannot be compressed. The same seed gives the same.
func Bytes(seed uint64, n int) []byte {
	out := make([]byte, n)
	chacha := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = chacha.Read(out) // It never fails.

	return out
}

func put(t *testing.T, s store.Store, name string, data []byte) {
	t.Helper()
	// A reader that is nothing else, as a stream is.
	size, err := s.Put(t.Context(), name, struct{ io.Reader }{bytes.NewReader(data)})
	if err != nil || size != int64(len(data)) {
		t.Fatalf("put %s: size %d, %v, want %d bytes", name, size, err, len(data))
	}
	t.Cleanup(func() {
		if err := s.Delete(context.WithoutCancel(t.Context()), name); err != nil {
			t.Errorf("delete %s: %v", name, err)
		}
	})
}

func keeps(t *testing.T, s store.Store) {
	for _, n := range []int{0, 1, 100_000, Large} {
		name := fmt.Sprintf("acme/data/%d.age", n)
		want := Bytes(1, n)
		put(t, s, name, want)

		r, err := s.Get(t.Context(), name)
		if err != nil {
			t.Fatalf("get %s: %v", name, err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes came back, %v, want the %d that were put", name, len(got), err, n)
		}
		o, err := s.Stat(t.Context(), name)
		if err != nil || o.Name != name || o.Size != int64(n) || time.Since(o.Time).Abs() > time.Hour {
			t.Errorf("%s is %+v, %v, want one of %d bytes of now", name, o, err, n)
		}
	}
}

func replacesNothing(t *testing.T, s store.Store) {
	const name = "acme/data/one.age"
	put(t, s, name, []byte("first"))
	if _, err := s.Put(t.Context(), name, strings.NewReader("second")); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second object of the name: %v, want ErrExists", err)
	}
	r, err := s.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "first" {
		t.Errorf("it is %q, %v, want the first", got, err)
	}
}

func lists(t *testing.T, s store.Store) {
	for _, name := range []string{"acme/data/2.age", "acme/data/1.age", "acme/data-2/1.age", "beta/data/1.age", "top.age"} {
		put(t, s, name, []byte(name))
	}
	for folder, want := range map[string][]string{
		"":           {"acme/data-2/1.age", "acme/data/1.age", "acme/data/2.age", "beta/data/1.age", "top.age"},
		"acme/":      {"acme/data-2/1.age", "acme/data/1.age", "acme/data/2.age"},
		"acme/data/": {"acme/data/1.age", "acme/data/2.age"},
		"nobody/":    nil,
	} {
		if diff := cmp.Diff(want, Names(t, s, folder)); diff != "" {
			t.Errorf("objects below %q (-want +got):\n%s", folder, diff)
		}
	}
}

// Names are those of the objects below a folder.
func Names(t *testing.T, s store.Store, folder string) []string {
	t.Helper()
	found, err := s.List(t.Context(), folder)
	if err != nil {
		t.Fatalf("list %q: %v", folder, err)
	}
	var names []string
	for _, o := range found {
		names = append(names, o.Name)
		if o.Size == 0 && !strings.HasSuffix(o.Name, "/0.age") || o.Time.IsZero() {
			t.Errorf("%+v has no size or no time", o)
		}
	}

	return names
}

func missing(t *testing.T, s store.Store) {
	if r, err := s.Get(t.Context(), "acme/data/none.age"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get: %v, want ErrNotFound", err)
		if err == nil {
			r.Close()
		}
	}
	if _, err := s.Stat(t.Context(), "acme/data/none.age"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("stat: %v, want ErrNotFound", err)
	}
	if err := s.Delete(t.Context(), "acme/data/none.age"); err != nil {
		t.Errorf("delete: %v, want it to be no error", err)
	}
}

// interrupted breaks the source off, early and late, by errors that look like an end.
func interrupted(t *testing.T, s store.Store) {
	cause := errors.New("the volume has gone")
	for _, after := range []int{0, 1000, Large} {
		for _, err := range []error{cause, io.ErrUnexpectedEOF, fmt.Errorf("read: %w", io.EOF)} {
			_, got := s.Put(t.Context(), "acme/data/half.age", &Broken{R: bytes.NewReader(Bytes(2, after)), Err: err})
			if !errors.Is(got, err) {
				t.Errorf("put of what breaks off after %d bytes by %v: %v, want that error", after, err, got)
			}
			if names := Names(t, s, ""); len(names) > 0 {
				t.Errorf("%v is there after an upload that broke off after %d bytes by %v", names, after, err)
			}
		}
	}
	// Nobody writes any more, so all that is left is swept.
	if _, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("sweep: %v", err)
	}
	if n, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("a second sweep finds %d, %v, want nothing", n, err)
	}
}

// Broken ends with an error instead of an end.
type Broken struct {
	R   io.Reader
	Err error
}

// Read implements io.Reader.
func (b *Broken) Read(p []byte) (int, error) {
	n, err := b.R.Read(p)
	if err == io.EOF { //nolint:errorlint // It is our own.
		err = b.Err
	}

	return n, err
}

func names(t *testing.T, s store.Store) {
	for _, name := range []string{
		"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.upload-x", "a/b\x00c", "A", "ä", "a b", "a\\b", "a/" + strings.Repeat("b", 129),
		strings.Repeat("a/", 300) + "a",
	} {
		_, put := s.Put(t.Context(), name, strings.NewReader("x"))
		_, get := s.Get(t.Context(), name)
		_, stat := s.Stat(t.Context(), name)
		for what, err := range map[string]error{"put": put, "get": get, "stat": stat, "delete": s.Delete(t.Context(), name)} {
			if !errors.Is(err, store.ErrRefused) {
				t.Errorf("%s of %.40q: %v, want ErrRefused", what, name, err)
			}
		}
	}
	for _, folder := range []string{"a", "../", "/", "a/../"} {
		if _, err := s.List(t.Context(), folder); !errors.Is(err, store.ErrRefused) {
			t.Errorf("list of %q: %v, want ErrRefused", folder, err)
		}
	}
}

func ends(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	// The context ends when a part has been read, and the source goes on forever.
	endless := &ending{cancel: cancel, after: Large}
	if _, err := s.Put(ctx, "acme/data/endless.age", endless); !errors.Is(err, context.Canceled) {
		t.Errorf("put whose context ends: %v, want context.Canceled", err)
	}
	if names := Names(t, s, ""); len(names) > 0 {
		t.Errorf("%v is there after an upload that was cancelled", names)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("sweep: %v", err)
	}
}

type ending struct {
	cancel context.CancelFunc
	after  int
}

func (e *ending) Read(p []byte) (int, error) {
	if e.after -= len(p); e.after < 0 {
		e.cancel()
	}
	clear(p)

	return len(p), nil
}
