package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entries are the files of a tar, by name.
func entries(t *testing.T, data []byte) map[string][]byte {
	t.Helper()

	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWrite makes an image of the running test, which is a program like any other.
func TestWrite(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := Write(w, program, Repository+":test"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same program gave two images")
	}

	outer := entries(t, first.Bytes())
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(outer["manifest.json"], &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || len(manifest[0].RepoTags) != 1 || manifest[0].RepoTags[0] != Repository+":test" || len(manifest[0].Layers) != 1 {
		t.Fatalf("got manifest %+v, want one image of one layer with its tag", manifest)
	}
	var config struct {
		OS     string
		Config struct{ Entrypoint []string }
	}
	if err := json.Unmarshal(outer[manifest[0].Config], &config); err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || len(config.Config.Entrypoint) != 1 || config.Config.Entrypoint[0] != "/dogker" {
		t.Errorf("got configuration %+v, want one that starts /dogker on linux", config)
	}

	plain, err := gzip.NewReader(bytes.NewReader(outer[manifest[0].Layers[0]]))
	if err != nil {
		t.Fatal(err)
	}
	layer, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	files := entries(t, layer)
	if !bytes.Equal(files[binary], want) {
		t.Error("the program in the image is another one")
	}
	interpreter, libraries, err := linked(program)
	if err != nil {
		t.Fatal(err)
	}
	if interpreter != "" && len(files[strings.TrimPrefix(interpreter, "/")]) == 0 {
		t.Errorf("%s is missing, by which the program is started", interpreter)
	}
	for _, library := range libraries {
		if name := filepath.Base(library); len(files["lib/"+name]) == 0 && name != filepath.Base(interpreter) {
			t.Errorf("library %s is missing", name)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}

	for says, write := range map[string]func() error{
		"read name of the image": func() error { return Write(io.Discard, text, "NOT A TAG") },
		"read program":           func() error { return Write(io.Discard, text, Repository+":test") },
		"CGO_ENABLED=0":          func() error { _, err := find("libno-such-library.so.9"); return err },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want an error with %q", err, says)
		}
	}
}
