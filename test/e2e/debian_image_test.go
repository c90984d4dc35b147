//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/dogker/dogker/internal/lab"
)

// debianImage is an image of programs of the distribution's packages, with the libraries that they are linked with and nothing
// else. It is built on the machine that the test runs on, by apt's ordinary client: no registry has it.
type debianImage struct {
	reference string
	// asked is what apt is asked for, and packages are the packages of which files are taken, beside libraries.
	asked    string
	packages func(string) bool
	// files are patterns of files and directories of the packages, below the root.
	files []string
	// script is /start, which is what the container runs.
	script string
	// data is where a Volume is mounted. What the image has there, and so the Volume, belongs to user 1000.
	data string
}

// on gives the engines of a lab the image. What was built is kept with the tools that tests build, until its recipe changes.
func (d *debianImage) on(t *testing.T, nodes ...*lab.Node) {
	t.Helper()

	file, err := d.archive(t)
	if err != nil {
		t.Fatalf("build image %s: %v", d.reference, err)
	}
	for _, node := range nodes {
		image, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := node.Docker.ImageLoad(t.Context(), image) // It closes the file.
		if err != nil {
			t.Fatalf("load image %s on %s: %v", d.reference, node.Name, err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *debianImage) archive(t *testing.T) (string, error) {
	t.Helper()

	dir := os.Getenv("DOGKER_TOOLS")
	if dir == "" {
		dir = t.TempDir()
	}
	system, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", err
	}
	recipe := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%q\n%s\n%s\n%s", runtime.GOARCH, d.asked, d.files, d.script, d.data, system))
	file := filepath.Join(dir, fmt.Sprintf("%s-%x.tar", d.asked, recipe[:6]))
	if exists(file) {
		return file, nil
	}

	root := filepath.Join(t.TempDir(), "root")
	if err := errors.Join(os.MkdirAll(dir, 0o755), d.unpack(root)); err != nil {
		return "", err
	}
	files, path, err := d.layer(root)
	if err != nil {
		return "", err
	}
	if err := d.write(file+".part", files, path); err != nil {
		return "", err
	}

	return file, os.Rename(file+".part", file)
}

// unpack has apt say what is needed, as on a system that has nothing yet, and unpacks what files may be taken from.
func (d *debianImage) unpack(root string) error {
	names, err := d.resolve()
	if err != nil {
		// Machines that are new have no lists yet.
		if _, err := said(exec.Command("apt-get", "-qq", "update")); err != nil {
			return err
		}
		if names, err = d.resolve(); err != nil {
			return err
		}
	}

	dir := root + ".packages"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(root, 0o755)); err != nil {
		return err
	}
	download := func() error {
		get := exec.Command("apt-get", append([]string{"-qq", "download"}, names...)...)
		get.Dir = dir
		_, err := said(get)

		return err
	}
	if err := download(); err != nil {
		// Lists that are old name what is not there any more.
		if _, err := said(exec.Command("apt-get", "-qq", "update")); err != nil {
			return err
		}
		if err := download(); err != nil {
			return err
		}
	}

	packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return err
	}
	for _, p := range packages {
		if _, err := said(exec.Command("dpkg-deb", "--extract", p, root)); err != nil {
			return err
		}
	}

	return os.RemoveAll(dir)
}

// resolve names the packages that the image's files are in.
func (d *debianImage) resolve() ([]string, error) {
	out, err := said(exec.Command("apt-get", "--simulate", "-o", "Dir::State::status=/dev/null", "-o", "Debug::NoLocking=true", "-o", "APT::Install-Recommends=false",
		"install", d.asked, "dash", "coreutils"))
	if err != nil {
		return nil, err
	}

	var names []string
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "Inst" {
			continue
		}
		library := (strings.HasPrefix(fields[1], "lib") || fields[1] == "zlib1g") && !strings.HasPrefix(fields[1], "libllvm") && !strings.Contains(fields[1], "perl")
		if library || fields[1] == "dash" || fields[1] == "coreutils" || d.packages(fields[1]) {
			names = append(names, fields[1])
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("apt-get names no package for %q:\n%s", d.asked, out)
	}

	return names, nil
}

// layer is the file system of the image, and where programs are in it.
func (d *debianImage) layer(root string) (files []byte, path []string, err error) {
	var out bytes.Buffer
	l := &layerWriter{tar: tar.NewWriter(&out), root: root, done: map[string]bool{}}
	var errs []error
	for _, pattern := range append([]string{"bin/dash", "bin/mv", "bin/rm", "usr/bin/dash", "usr/bin/mv", "usr/bin/rm"}, d.files...) {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		errs = append(errs, err)
		for _, path := range found {
			errs = append(errs, filepath.WalkDir(path, func(path string, _ fs.DirEntry, err error) error {
				return errors.Join(err, l.take(path))
			}))
		}
	}
	errs = append(errs,
		l.tar.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}),
		l.tar.WriteHeader(&tar.Header{Name: strings.TrimPrefix(d.data, "/") + "/", Typeflag: tar.TypeDir, Mode: 0o700, Uid: 1000, Gid: 1000}),
		l.text("etc/passwd", 0o644, "root:x:0:0::/:/bin/sh\ndata:x:1000:1000::/tmp:/bin/sh\n"),
		l.text("start", 0o755, d.script),
	)
	shell := "/usr/bin/dash"
	if l.done["bin/dash"] {
		shell = "/bin/dash"
	}
	errs = append(errs, l.tar.WriteHeader(&tar.Header{Name: "bin/sh", Typeflag: tar.TypeSymlink, Linkname: shell, Mode: 0o777}))

	for at := range l.done {
		if dir := "/" + filepath.Dir(at); filepath.Base(dir) == "bin" && !slices.Contains(path, dir) {
			path = append(path, dir)
		}
	}
	slices.Sort(path)

	return out.Bytes(), path, errors.Join(append(errs, l.tar.Close())...)
}

// layerWriter takes files out of unpacked packages, with all libraries that they need.
type layerWriter struct {
	tar  *tar.Writer
	root string
	done map[string]bool
}

// take writes a file where its package has it, and a link as what it leads to.
func (l *layerWriter) take(path string) error {
	at, err := filepath.Rel(l.root, path)
	if err != nil || l.done[at] {
		return err
	}
	l.done[at] = true

	found, err := l.follow(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(found)
	if err != nil || info.IsDir() {
		return err
	}
	content, err := os.ReadFile(found)
	if err != nil {
		return err
	}
	if err := errors.Join(l.text(at, int64(info.Mode().Perm()), string(content)), l.needs(content)); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}

	return nil
}

// follow is what a link of a package leads to below the root.
func (l *layerWriter) follow(path string) (string, error) {
	for range 8 {
		target, err := os.Readlink(path)
		if err != nil {
			return path, nil //nolint:nilerr // It is no link.
		}
		if !filepath.IsAbs(target) {
			path = filepath.Join(filepath.Dir(path), target)
			continue
		}
		path = filepath.Join(l.root, target)
	}

	return "", errors.New("it is a link to links")
}

// needs takes the libraries that a program or library is linked with, and the loader.
func (l *layerWriter) needs(content []byte) error {
	program, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return nil //nolint:nilerr // It is no program.
	}
	defer program.Close()

	wants, err := program.ImportedLibraries()
	if err != nil {
		return err
	}
	for _, p := range program.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		loader, err := io.ReadAll(p.Open())
		if err != nil {
			return err
		}
		if err := l.loader(strings.Trim(string(loader), "\x00/")); err != nil {
			return err
		}
	}
	for _, want := range wants {
		if err := l.library(want); err != nil {
			return err
		}
	}

	return nil
}

func (l *layerWriter) library(name string) error {
	for _, pattern := range []string{"lib/*/", "usr/lib/*/", "lib/", "usr/lib/"} {
		found, err := filepath.Glob(filepath.Join(l.root, pattern, name))
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return l.take(found[0])
		}
	}

	return fmt.Errorf("no package has %s", name)
}

// loader takes the loader by the name that programs know it by, wherever its package has it.
func (l *layerWriter) loader(at string) error {
	if exists(filepath.Join(l.root, at)) {
		return l.take(filepath.Join(l.root, at))
	}
	if l.done[at] {
		return nil
	}
	l.done[at] = true
	for _, dir := range []string{"lib/*", "usr/lib/*", "usr/lib64"} {
		found, err := filepath.Glob(filepath.Join(l.root, dir, filepath.Base(at)))
		if err != nil || len(found) == 0 {
			continue
		}
		path, err := l.follow(found[0])
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}

		return l.text(at, 0o755, string(content))
	}

	return fmt.Errorf("no package has the loader %s", at)
}

func (l *layerWriter) text(name string, mode int64, content string) error {
	if err := l.tar.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := io.WriteString(l.tar, content)

	return err
}

// write puts the image into a file, as engines load it.
func (d *debianImage) write(file string, files []byte, path []string) error {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil })
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	about, err := image.ConfigFile()
	if err != nil {
		return err
	}
	about = about.DeepCopy()
	about.OS, about.Architecture = "linux", runtime.GOARCH
	about.Config.Entrypoint, about.Config.User = []string{"/start"}, "1000:1000"
	about.Config.Env = []string{"PATH=" + strings.Join(path, ":"), "TZ=UTC"}
	if image, err = mutate.ConfigFile(image, about); err != nil {
		return err
	}
	ref, err := name.NewTag(d.reference)
	if err != nil {
		return err
	}

	return tarball.WriteToFile(file, ref, image)
}

// said runs a command and returns what it has said, which is also in its error.
func said(cmd *exec.Cmd) (string, error) {
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}

	return string(out), err
}
