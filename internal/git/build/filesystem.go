package build

import (
	"bytes"
	"errors"
	iofs "io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/sops"
	"github.com/dogker/dogker/reconciler/source"
)

// mount is where kustomize believes the repository to be. It has a parent, so that a path that leaves the repository can be told from
// one that does not.
const mount = "/repository"

// inside is where kustomize finds a path of the repository.
func inside(at string) string { return path.Join(mount, at) }

// files is the repository, as kustomize sees file systems: it can be read, and that is all.
type files struct {
	b *builder
	// instead is what some files contain for kustomize.
	instead map[string][]byte
	// failed is the first error of ours. Kustomize tries files as directories and drops errors on its way.
	failed error
}

var _ filesys.FileSystem = (*files)(nil)

// errReadOnly is what becomes of everything that would change something.
var errReadOnly = errors.New("the repository is not written to")

// outside finds a path of kustomize in the repository.
func outside(p string) (string, error) {
	p = path.Clean(p)
	if p == mount {
		return "", nil
	}

	at, ok := strings.CutPrefix(p, mount+"/")
	if !ok {
		return "", &source.Error{Reason: source.ReasonRepositoryRefused, Message: "a path leads out of the repository"}
	}

	return at, nil
}

// ReadFile is the content of a file, decrypted, and harmless to parse where it is YAML.
func (f *files) ReadFile(p string) ([]byte, error) {
	at, err := outside(p)
	if err != nil {
		return nil, f.keep(err)
	}

	if data, ok := f.instead[at]; ok {
		return data, nil
	}

	data, err := f.b.tree.ReadFile(at)
	if err != nil {
		// It asks for files that may be directories, and for kustomizations under all names that they can have.
		return nil, f.keepUnless(err, iofs.ErrNotExist)
	}

	if data, err = sops.File(at, data, f.b.keys); err != nil {
		return nil, f.keep(err)
	}

	// Something may parse it that the survey has not foreseen.
	if bytes.ContainsRune(data, '*') {
		if err := document.Bounded(at, data); err != nil {
			return nil, f.keep(err)
		}
	}

	return data, nil
}

func (f *files) keep(err error) error {
	if f.failed == nil {
		f.failed = err
	}

	return err
}

func (f *files) keepUnless(err, harmless error) error {
	var known *source.Error
	if errors.Is(err, harmless) || errors.As(err, &known) && known.Reason == source.ReasonBuildFailed {
		return err
	}

	return f.keep(err)
}

// CleanedAbs is a directory, and the name of a file in it.
func (f *files) CleanedAbs(p string) (filesys.ConfirmedDir, string, error) {
	at, err := outside(p)
	if err != nil {
		return "", "", f.keep(err)
	}

	e, err := f.b.tree.Lookup(at)
	if err != nil {
		return "", "", f.keepUnless(err, iofs.ErrNotExist)
	}

	if e.Dir {
		return filesys.ConfirmedDir(inside(e.Path)), "", nil
	}

	return filesys.ConfirmedDir(inside(path.Dir(e.Path))), path.Base(e.Path), nil
}

// Exists tells whether something is there.
func (f *files) Exists(p string) bool {
	at, err := outside(p)
	if err != nil {
		return false
	}

	_, err = f.b.tree.Lookup(at)

	return err == nil
}

// IsDir tells whether it is a directory.
func (f *files) IsDir(p string) bool {
	at, err := outside(p)
	if err != nil {
		return false
	}

	e, err := f.b.tree.Lookup(at)

	return err == nil && e.Dir
}

// ReadDir is the names in a directory.
func (f *files) ReadDir(p string) ([]string, error) {
	at, err := outside(p)
	if err != nil {
		return nil, f.keep(err)
	}

	return f.b.tree.ReadDir(at)
}

// Glob is the names in a directory that match a pattern. Directories are taken literally.
func (f *files) Glob(pattern string) ([]string, error) {
	names, err := f.ReadDir(path.Dir(pattern))
	if err != nil {
		return nil, nil //nolint:nilerr // as filepath.Glob, which finds nothing where nothing is
	}

	var found []string

	for _, name := range names {
		if ok, err := path.Match(path.Base(pattern), name); err != nil {
			return nil, err
		} else if ok {
			found = append(found, path.Join(path.Dir(pattern), name))
		}
	}

	return found, nil
}

// Open is not used by a build.
func (f *files) Open(string) (filesys.File, error) { return nil, errReadOnly }

// Create refuses.
func (f *files) Create(string) (filesys.File, error) { return nil, errReadOnly }

// Mkdir refuses.
func (f *files) Mkdir(string) error { return errReadOnly }

// MkdirAll refuses.
func (f *files) MkdirAll(string) error { return errReadOnly }

// RemoveAll refuses.
func (f *files) RemoveAll(string) error { return errReadOnly }

// WriteFile refuses.
func (f *files) WriteFile(string, []byte) error { return errReadOnly }

// Walk is not used by a build.
func (f *files) Walk(string, filepath.WalkFunc) error { return errReadOnly }
