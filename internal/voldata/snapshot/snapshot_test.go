package snapshot_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/fake/volumes"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/snapshot"
	"github.com/dogker/dogker/internal/voldata/store"
	"github.com/dogker/dogker/internal/voldata/store/directory"
	"github.com/dogker/dogker/internal/voldata/store/storetest"
)

var origin = archive.Origin{Namespace: "acme", Volume: "data", UID: "5a1c", Time: time.Unix(1_700_000_000, 0)}

// world is an engine with a volume, and a store that fails on demand.
type world struct {
	t      *testing.T
	engine *volumes.Engine
	v      *voldata.Volumes
	at     snapshot.Place
	store  *failing
	quiet  snapshot.Quiet
}

// failing is a store whose calls are changed.
type failing struct {
	store.Store
	put func(content io.Reader) (int64, error)
	get func(r io.ReadCloser) io.ReadCloser
}

func (f *failing) Put(ctx context.Context, name string, content io.Reader) (int64, error) {
	if f.put != nil {
		return f.put(content)
	}

	return f.Store.Put(ctx, name, content)
}

func (f *failing) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := f.Store.Get(ctx, name)
	if err == nil && f.get != nil {
		r = f.get(r)
	}

	return r, err
}

func newWorld(t *testing.T) *world {
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

	w := &world{t: t, engine: volumes.New(), store: &failing{Store: dir}}
	w.v = voldata.New(w.engine, voldata.Options{Holder: "server-1"})
	w.at = snapshot.Place{Store: w.store, Name: "acme/data/1.age", Key: k}
	w.fill("acme_data", storetest.Bytes(1, 600_000))

	return w
}

// fill makes a volume with one file.
func (w *world) fill(name string, data []byte) {
	w.t.Helper()
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "volume/", Mode: 0o755, ModTime: origin.Time},
		{Typeflag: tar.TypeReg, Name: "volume/a", Mode: 0o644, Size: int64(len(data)), ModTime: origin.Time},
	} {
		if err := out.WriteHeader(h); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := out.Write(data); err != nil {
		w.t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.engine.Put(name, nil)
	w.engine.Data[name] = b.Bytes()
}

func (w *world) save() (archive.Receipt, error) {
	return snapshot.Save(w.t.Context(), w.v, "acme_data", origin, w.at, w.quiet, content.Options{})
}

func (w *world) restore(o content.Options) (archive.Receipt, error) {
	return snapshot.Restore(w.t.Context(), w.at, "5a1c", w.v, voldata.Target{Name: "acme_new", Operation: "restore/1"}, o)
}

// only fails the test unless the volume is all that there is on the engine.
func (w *world) only(what string) {
	w.t.Helper()
	if left := w.engine.Left(); left != "volume acme_data" {
		w.t.Errorf("%s: left is %s, want the volume alone", what, left)
	}
}

func TestSaveAndRestore(t *testing.T) {
	w := newWorld(t)
	want, err := w.v.Digest(t.Context(), "acme_data", content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	saved, err := w.save()
	if err != nil || saved.Content != want {
		t.Fatalf("saved it is %+v, %v, want %+v", saved, err, want)
	}
	w.only("saved")

	// What is in the volume by now is not asked again: the snapshot has been made.
	w.fill("acme_data", []byte("later"))
	if again, err := w.save(); err != nil || !again.SameAs(saved) {
		t.Errorf("saved again it is %+v, %v, want the first", again, err)
	}
	if got, err := w.restore(content.Options{}); err != nil || !got.SameAs(saved) {
		t.Fatalf("restored it is %+v, %v, want %+v", got, err, saved)
	}
	if got, err := w.v.Digest(t.Context(), "acme_new", content.Options{}); err != nil || got != want {
		t.Errorf("the new volume is %+v, %v, want %+v", got, err, want)
	}
}

// TestSaveFails wants nothing listed, nothing left, and the next try to make it.
func TestSaveFails(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*world)
		is   error
	}{
		"EngineCut":  {func(w *world) { w.engine.Data["acme_data"] = w.engine.Data["acme_data"][:200_000] }, content.ErrBroken},
		"EngineLate": {func(w *world) { d := w.engine.Data["acme_data"]; w.engine.Data["acme_data"] = d[:len(d)-1024] }, content.ErrBroken},
		"NoVolume":   {func(w *world) { delete(w.engine.Volumes, "acme_data") }, nil},
		"StoreFull": {func(w *world) {
			w.store.put = func(in io.Reader) (int64, error) {
				_, _ = io.CopyN(io.Discard, in, 100_000)

				return 0, store.ErrFull
			}
		}, store.ErrFull},
		"StoreAtOnce": {func(w *world) { w.store.put = func(io.Reader) (int64, error) { return 0, store.ErrDenied } }, store.ErrDenied},
		// An engine that stands still must not hold a save whose store has failed.
		"StoreFailsEngineStill": {func(w *world) {
			w.engine.Alter = func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data[:2000]), volumes.Still{}) }
			w.store.put = func(io.Reader) (int64, error) { return 0, store.ErrUnavailable }
		}, store.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			whole := w.engine.Data["acme_data"]
			c.harm(w)
			if _, err := w.save(); err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error is %v, want %v", err, c.is)
			}
			if names := storetest.Names(t, w.store, ""); len(names) > 0 {
				t.Errorf("%v is listed, want nothing", names)
			}

			w.store.put, w.engine.Alter = nil, nil
			w.engine.Put("acme_data", nil)
			w.engine.Data["acme_data"] = whole
			w.only("failed")
			if _, err := w.save(); err != nil {
				t.Errorf("the next try: %v", err)
			}
			w.only("saved")
		})
	}
}

// TestStoreLies is a store that does not keep what it is given: a receipt is only of what can be read back.
func TestStoreLies(t *testing.T) {
	w := newWorld(t)
	w.store.get = func(r io.ReadCloser) io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, 100_000), r}
	}
	if _, err := w.save(); !errors.Is(err, archive.ErrRefused) {
		t.Errorf("error is %v, want ErrRefused", err)
	}
}

// TestRestoreFails wants nothing made.
func TestRestoreFails(t *testing.T) {
	for name, c := range map[string]struct {
		o    content.Options
		harm func(*world)
		is   error
	}{
		"TooLarge": {content.Options{MaxBytes: 1000}, func(*world) {}, content.ErrRefused},
		"Missing":  {content.Options{}, func(w *world) { w.at.Name = "acme/data/2.age" }, store.ErrNotFound},
		"OtherKey": {content.Options{}, func(w *world) { w.at.Key = newWorld(w.t).at.Key }, archive.ErrRefused},
		"Taken":    {content.Options{}, func(w *world) { w.fill("acme_new", []byte("precious")) }, nil},
		// The object is another one when it is read for the second time.
		"Swapped": {content.Options{}, func(w *world) {
			n := 0
			w.store.get = func(r io.ReadCloser) io.ReadCloser {
				if n++; n < 2 {
					return r
				}

				return struct {
					io.Reader
					io.Closer
				}{io.MultiReader(io.LimitReader(r, 200_000), strings.NewReader("evil")), r}
			}
		}, archive.ErrRefused},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.save(); err != nil {
				t.Fatal(err)
			}
			c.harm(w)
			if _, err := w.restore(c.o); err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error is %v, want %v", err, c.is)
			}
			if name == "Taken" {
				if !bytes.Contains(w.engine.Data["acme_new"], []byte("precious")) {
					t.Error("what was there is gone")
				}
				return
			}
			w.only("refused")
		})
	}
}

// TestSaveQuietly wants what was begun to be ended once, before anything is read back, whatever fails; and a volume that needs not be
// read left alone.
func TestSaveQuietly(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*world)
		fail bool
		want string
	}{
		"Whole":       {func(*world) {}, false, "begin still end get"},
		"BeginFails":  {func(w *world) { w.quiet.Begin = thenFails(w.quiet.Begin) }, true, "begin end"},
		"NotStill":    {func(w *world) { w.quiet.Still = thenFails(w.quiet.Still) }, true, "begin still end"},
		"NoVolume":    {func(w *world) { delete(w.engine.Volumes, "acme_data") }, true, "begin end"},
		"StoreDenies": {func(w *world) { w.store.put = func(io.Reader) (int64, error) { return 0, store.ErrDenied } }, true, "begin end"},
		// The engine is not waited for by what is frozen for it.
		"EngineStill": {func(w *world) {
			w.engine.Alter = func(data []byte) io.Reader { return io.MultiReader(bytes.NewReader(data[:2000]), volumes.Still{}) }
			w.store.put = func(io.Reader) (int64, error) { return 0, store.ErrUnavailable }
		}, true, "begin end"},
		"ThereAlready": {func(w *world) {
			quiet := w.quiet
			w.quiet = snapshot.Quiet{}
			if _, err := w.save(); err != nil {
				w.t.Fatal(err)
			}
			w.quiet = quiet
		}, false, "get"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var did []string
			w.quiet = snapshot.Quiet{
				Begin: func(context.Context) error { did = append(did, "begin"); return nil },
				Still: func(context.Context) error { did = append(did, "still"); return nil },
				End:   func() { did = append(did, "end") },
			}
			c.harm(w)
			w.store.get = func(r io.ReadCloser) io.ReadCloser { did = append(did, "get"); return r }
			if _, err := w.save(); (err != nil) != c.fail {
				t.Errorf("error is %v, want one: %v", err, c.fail)
			}
			if got := strings.Join(did, " "); got != c.want {
				t.Errorf("it did %q, want %q", got, c.want)
			}
			if names := storetest.Names(t, w.store, ""); c.fail && len(names) > 0 {
				t.Errorf("%v is stored, want nothing", names)
			}
		})
	}
}

// thenFails fails after it was done.
func thenFails(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return errors.Join(do(ctx), errors.New("boom")) }
}

// TestSum wants an archive that is whole and another than was recorded to be refused.
func TestSum(t *testing.T) {
	w := newWorld(t)
	saved, err := w.save()
	if err != nil {
		t.Fatal(err)
	}
	w.at.Sum = saved.Sum
	if _, err := snapshot.Verify(t.Context(), w.at, "5a1c"); err != nil {
		t.Errorf("with its own sum: %v", err)
	}
	w.at.Sum = strings.Repeat("0", 64)
	if _, err := snapshot.Verify(t.Context(), w.at, "5a1c"); !errors.Is(err, archive.ErrRefused) {
		t.Errorf("with another sum the error is %v, want ErrRefused", err)
	}
	if _, err := w.restore(content.Options{}); !errors.Is(err, archive.ErrRefused) {
		t.Errorf("restoring it the error is %v, want ErrRefused", err)
	}
	w.only("refused")
}
