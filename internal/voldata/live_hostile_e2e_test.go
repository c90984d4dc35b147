//go:build e2e

package voldata_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
)

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
