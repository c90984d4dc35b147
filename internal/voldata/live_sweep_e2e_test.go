//go:build e2e

package voldata_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
	"github.com/dogker/dogker/internal/voldata/snapshot"
	"github.com/dogker/dogker/internal/voldata/store"
)

// TestLiveSweep leaves containers behind, as a killed server does.
func TestLiveSweep(t *testing.T) {
	w := newLive(t)
	w.make(0, "acme_data")
	docker := w.lab.Nodes[0].Docker

	open := func(v *voldata.Volumes) io.ReadCloser {
		t.Helper()
		r, err := v.Read(t.Context(), "acme_data")
		if err != nil {
			t.Fatal(err)
		}

		return r
	}
	before := voldata.New(docker, voldata.Options{Holder: "server-1"})
	other := voldata.New(docker, voldata.Options{Holder: "server-2"})
	long := voldata.New(docker, voldata.Options{Holder: "server-2", Longest: time.Hour, Now: func() time.Time { return time.Now().Add(-2 * time.Hour) }})
	lost, mine, theirs, over := open(before), open(w.a), open(other), open(long)

	// An engine removes no container that it still reads: what a killed server has read ends with its connection.
	for _, r := range []io.ReadCloser{lost, over} {
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
	}
	n, err := w.a.Sweep(t.Context())
	if err != nil || n != 2 {
		t.Errorf("%d were swept, %v, want the one of the process before and the one whose time is over", n, err)
	}
	for _, r := range []io.ReadCloser{mine, theirs} {
		if _, err := content.Copy(nil, r, content.Options{}); err != nil {
			t.Errorf("what is still read: %v", err)
		}
	}
	for _, r := range []io.ReadCloser{lost, mine, theirs, over} {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	w.clean()
}

// TestLiveTruncatedArchive wants the target untouched, not even made.
func TestLiveTruncatedArchive(t *testing.T) {
	w := newLive(t)
	populate(t, w.make(0, "acme_data"))
	place := newPlace(t)
	if _, err := snapshot.Save(t.Context(), w.a, "acme_data", archive.Origin{UID: "5a1c"}, place, snapshot.Quiet{}, content.Options{}); err != nil {
		t.Fatal(err)
	}

	r, err := place.Store.Get(t.Context(), place.Name)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(whole)
	altered[len(altered)/2] ^= 1
	for name, data := range map[string][]byte{"cut": whole[:len(whole)-1000], "altered": altered, "empty": nil} {
		bad := place
		bad.Name = "acme/data/" + name + ".age"
		if _, err := bad.Store.Put(t.Context(), bad.Name, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if _, err := snapshot.Restore(t.Context(), bad, "5a1c", w.b, voldata.Target{Name: "acme_new", Operation: name}, content.Options{}); !errors.Is(err, archive.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", name, err)
		}
	}
	for what, c := range map[string]struct {
		name, uid string
		o         content.Options
		is        error
	}{
		"of another Volume": {place.Name, "other", content.Options{}, archive.ErrRefused},
		"too large":         {place.Name, "5a1c", content.Options{MaxBytes: 1000}, content.ErrRefused},
		"missing":           {"acme/none", "5a1c", content.Options{}, store.ErrNotFound},
	} {
		at := place
		at.Name = c.name
		if _, err := snapshot.Restore(t.Context(), at, c.uid, w.b, voldata.Target{Name: "acme_new", Operation: "x"}, c.o); !errors.Is(err, c.is) {
			t.Errorf("%s: %v, want %v", what, err, c.is)
		}
	}
	if list, err := w.lab.Nodes[1].Docker.VolumeList(t.Context(), volume.ListOptions{}); err != nil || len(list.Volumes) > 0 {
		t.Errorf("there are volumes %v, %v, want none", list.Volumes, err)
	}
	w.clean()
}
