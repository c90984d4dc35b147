// Package archive writes a program as an image that engines load from a file: the program, the libraries it is linked with,
// and nothing else. The same program gives the same bytes, and so the same ID on every node that loads it.
package archive

import (
	"archive/tar"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Repository is the name of images that were written without another. No registry has it: the domain is for private use.
const Repository = "dogker.internal/agent"

// binary is where the program is in the image. The service of the agents starts it from there.
const binary = "dogker"

// epoch dates everything in it.
var epoch = time.Unix(0, 0).UTC()

// Write writes an image of a program in the format of `docker save`.
func Write(w io.Writer, program, tag string) error {
	ref, err := name.NewTag(tag, name.WithDefaultRegistry(""))
	if err != nil {
		return fmt.Errorf("read name of the image: %w", err)
	}
	files, err := filesOf(program)
	if err != nil {
		return err
	}
	image, err := imageOf(files)
	if err != nil {
		return fmt.Errorf("make image: %w", err)
	}
	if err := tarball.Write(ref, image, w); err != nil {
		return fmt.Errorf("write image: %w", err)
	}

	return nil
}

func imageOf(files []file) (v1.Image, error) {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return stream(files), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.Append(empty.Image, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "dogker agent image", Created: v1.Time{Time: epoch}}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}

	config = config.DeepCopy()
	config.Architecture, config.OS, config.Created = runtime.GOARCH, "linux", v1.Time{Time: epoch}
	config.Config = v1.Config{Entrypoint: []string{"/" + binary}, Cmd: []string{"--help"}, Env: []string{"PATH=/"}}

	return mutate.ConfigFile(image, config)
}

// file is one of the image: where it is there, and from where it comes.
type file struct{ target, source string }

// stream is the files as a tar. It is read several times: for its digest, and to be written.
func stream(files []file) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeTar(w, files)) }()

	return r
}

func writeTar(w io.Writer, files []file) error {
	t := tar.NewWriter(w)
	for _, f := range files {
		if err := writeFile(t, f); err != nil {
			return err
		}
	}

	return t.Close()
}

func writeFile(t *tar.Writer, f file) error {
	from, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}

	if err := t.WriteHeader(&tar.Header{Name: f.target, Mode: 0o755, Size: info.Size(), ModTime: epoch}); err != nil {
		return err
	}
	_, err = io.Copy(t, from)

	return err
}

// filesOf a program are itself, and, where it is linked dynamically, what it is linked with.
func filesOf(program string) ([]file, error) {
	files := []file{{binary, program}}
	interpreter, needed, err := linked(program)
	if err != nil {
		return nil, fmt.Errorf("read program: %w", err)
	}
	if interpreter == "" {
		return files, nil
	}

	files = append(files, file{strings.TrimPrefix(interpreter, "/"), interpreter})
	for seen := map[string]bool{filepath.Base(interpreter): true}; len(needed) > 0; {
		library := needed[0]
		needed = needed[1:]
		if seen[library] {
			continue
		}
		seen[library] = true

		source, err := find(library)
		if err != nil {
			return nil, err
		}
		_, more, err := linked(source)
		if err != nil {
			return nil, fmt.Errorf("read library: %w", err)
		}
		needed = append(needed, more...)
		files = append(files, file{"lib/" + library, source})
	}
	slices.SortFunc(files[1:], func(a, b file) int { return strings.Compare(a.target, b.target) })

	return files, nil
}

// linked is what the kernel starts a program with, and the libraries it names; nothing for one that is linked statically.
func linked(path string) (interpreter string, libraries []string, err error) {
	f, err := elf.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()

	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return "", nil, err
		}
		interpreter = strings.TrimRight(string(data), "\x00")
	}
	libraries, err = f.ImportedLibraries()
	if errors.Is(err, elf.ErrNoSymbols) {
		err = nil
	}

	return interpreter, libraries, err
}

// find looks for a library of this machine where linkers look by themselves.
func find(library string) (string, error) {
	var folders []string
	for _, pattern := range []string{"/lib64", "/lib", "/lib/*-linux-gnu*", "/usr/lib64", "/usr/lib", "/usr/lib/*-linux-gnu*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		folders = append(folders, found...)
	}

	for _, folder := range folders {
		path := filepath.Join(folder, library)
		if f, err := elf.Open(path); err == nil {
			fits := f.Machine == machine()
			f.Close()
			if fits {
				return path, nil
			}
		}
	}

	return "", fmt.Errorf("find library %q, which the program is linked with: build it with CGO_ENABLED=0, and it needs none", library)
}

// machine is that of this process.
func machine() elf.Machine {
	switch runtime.GOARCH {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	default:
		return elf.EM_NONE
	}
}
