package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/dogker/dogker/internal/git/build"
	"github.com/dogker/dogker/internal/git/tree"
	"github.com/dogker/dogker/reconciler/source"
)

// limits are those of a repository that is the caller's own.
var limits = source.Limits{Files: 1 << 20, TreeBytes: 1 << 40}.OrDefault()

// Stdin is the name that stands for standard input.
const Stdin = "-"

// Objects builds files, directories and standard input, one after the other. Errors name files as the caller has.
func Objects(ctx context.Context, names []string, stdin io.Reader) ([]source.Object, error) {
	var all []source.Object

	for _, name := range names {
		objects, err := one(ctx, name, stdin)
		if err != nil {
			return nil, err
		}

		all = append(all, objects...)
	}

	return all, nil
}

func one(ctx context.Context, name string, stdin io.Reader) ([]source.Object, error) {
	if name == Stdin {
		data, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}

		return file(ctx, "standard input", content{int64(len(data)), func() ([]byte, error) { return data, nil }})
	}

	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}

	if info.IsDir() {
		return directory(ctx, name)
	}

	return file(ctx, name, content{info.Size(), func() ([]byte, error) { return os.ReadFile(name) }})
}

// file builds one file, whatever it is called.
func file(ctx context.Context, name string, c content) ([]source.Object, error) {
	const alone = "objects.yaml"

	w := newWorktree()

	root, err := w.tree([]object.TreeEntry{{Name: alone, Mode: filemode.Regular, Hash: w.file(alone, c)}})
	if err != nil {
		return nil, err
	}

	return built(ctx, w, root, "", func(string) string { return name })
}

// directory builds a directory, as part of what surrounds it.
func directory(ctx context.Context, name string) ([]source.Object, error) {
	at, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}

	// Through symlinks, or a path into the repository would seem to lead out of it.
	if at, err = filepath.EvalSymlinks(at); err != nil {
		return nil, err
	}

	top := surroundings(at)

	w := newWorktree()

	root, err := w.directory(ctx, top)
	if err != nil {
		return nil, err
	}

	inside, err := filepath.Rel(top, at)
	if err != nil {
		return nil, err
	}

	return built(ctx, w, root, filepath.ToSlash(inside), func(file string) string {
		// A file in the directory is named as its directory was.
		if relative, err := filepath.Rel(inside, filepath.FromSlash(file)); err == nil {
			return filepath.Join(name, relative)
		}

		return filepath.Join(top, file)
	})
}

// surroundings is the top of what a directory may refer to: that of its repository, or else the directory itself.
func surroundings(at string) string {
	for dir := at; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}

		if dir == filepath.Dir(dir) {
			return at
		}
	}
}

// built makes objects of files, and names those by what rename says.
func built(ctx context.Context, w *worktree, root plumbing.Hash, path string, rename func(string) string) ([]source.Object, error) {
	objects, err := objectsOf(ctx, w, root, path)

	var known *source.Error
	if errors.As(err, &known) {
		named := *known
		if named.File != "" {
			named.File = rename(named.File)
		}

		return nil, &named
	}

	if err != nil {
		return nil, err
	}

	for i := range objects {
		objects[i].File = rename(objects[i].File)
	}

	return objects, nil
}

func objectsOf(ctx context.Context, w *worktree, root plumbing.Hash, path string) ([]source.Object, error) {
	t, err := tree.Load(ctx, w, root, limits)
	if err != nil {
		return nil, err
	}

	if err := t.Ignore(""); err != nil {
		return nil, err
	}

	return build.Objects(ctx, t, source.Request{Path: path, Limits: limits})
}
