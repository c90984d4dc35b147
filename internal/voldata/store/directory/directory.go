package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/dogker/dogker/internal/voldata/store"
)

// unfinished begins the names of files that are being written. No object has such a name.
const unfinished = ".upload-"

// Directory is a store.
type Directory struct{ path string }

var _ store.Store = (*Directory)(nil)

// New returns the store in a directory, by its absolute path. It looks at nothing.
func New(dir string) (*Directory, error) {
	if !path.IsAbs(dir) || path.Clean(dir) != dir || dir == "/" {
		return nil, fmt.Errorf("directory of store: %q must be an absolute path below /, with neither . nor .. in it", dir)
	}

	return &Directory{dir}, nil
}

// open opens the directory for one call. A disk may be mounted over it at any time.
func (d *Directory) open() (*os.Root, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, translate("open store", err)
	}

	return root, nil
}

// Put implements store.Store.
func (d *Directory) Put(ctx context.Context, name string, content io.Reader) (int64, error) {
	if err := store.CheckName(name); err != nil {
		return 0, err
	}
	root, err := d.open()
	if err != nil {
		return 0, err
	}
	defer root.Close()

	if _, err := root.Lstat(name); err == nil {
		return 0, fmt.Errorf("put %q: %w", name, store.ErrExists)
	}
	folder := path.Dir(name)
	if err := root.MkdirAll(folder, 0o700); err != nil {
		return 0, translate(fmt.Sprintf("put %q", name), err)
	}

	part := path.Join(folder, unfinished+uuid.NewString())
	// A part that cannot be removed is left to Sweep.
	defer func() { _ = root.Remove(part) }()

	in := store.NewSource(content)
	if err := write(ctx, root, part, in); err != nil {
		if failed := in.Failed(); failed != nil {
			return 0, fmt.Errorf("put %q: %w", name, failed)
		}

		return 0, translate(fmt.Sprintf("put %q", name), err)
	}
	if err := errors.Join(publish(root, part, name), syncFolders(root, folder)); err != nil {
		return 0, translate(fmt.Sprintf("put %q", name), err)
	}

	return in.Size(), nil
}

func write(ctx context.Context, root *os.Root, part string, in *store.Source) error {
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(onlyWriter{f}, &bound{ctx, in}, make([]byte, 256<<10))
	if err == nil {
		err = f.Sync()
	}

	return errors.Join(err, f.Close())
}

// publish gives a part its name. A link, unlike a rename, never takes the place of what somebody else has made meanwhile; but
// some file systems of networks have none.
func publish(root *os.Root, part, name string) error {
	err := root.Link(part, name)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		return root.Rename(part, name)
	}

	return err
}

// onlyWriter keeps io.Copy from using what a file can besides, which would not look at the context.
type onlyWriter struct{ io.Writer }

// bound ends with its context.
type bound struct {
	ctx context.Context //nolint:containedctx // It lives as long as one call.
	r   io.Reader
}

func (b *bound) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}

	return b.r.Read(p)
}

// syncFolders makes new names survive a power cut: that of the object, and those of folders that were made for it.
func syncFolders(root *os.Root, folder string) error {
	for {
		f, err := root.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
		if folder == "." {
			return nil
		}
		folder = path.Dir(folder)
	}
}

// Get implements store.Store.
func (d *Directory) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := store.CheckName(name); err != nil {
		return nil, err
	}
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()

	// What is no file is not opened: a pipe would wait for who writes to it.
	if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil, translate(fmt.Sprintf("get %q", name), orNotExist(err))
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, translate(fmt.Sprintf("get %q", name), err)
	}

	return &reading{bound: bound{ctx, f}, file: f}, nil
}

type reading struct {
	bound
	file *os.File
}

func (r *reading) Close() error { return r.file.Close() }

// Stat implements store.Store.
func (d *Directory) Stat(_ context.Context, name string) (store.Object, error) {
	if err := store.CheckName(name); err != nil {
		return store.Object{}, err
	}
	root, err := d.open()
	if err != nil {
		return store.Object{}, err
	}
	defer root.Close()

	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return store.Object{}, translate(fmt.Sprintf("look at %q", name), orNotExist(err))
	}

	return store.Object{Name: name, Size: info.Size(), Time: info.ModTime()}, nil
}

func orNotExist(err error) error {
	if err == nil {
		return fs.ErrNotExist
	}

	return err
}

// List implements store.Store.
func (d *Directory) List(ctx context.Context, folder string) ([]store.Object, error) {
	if err := store.CheckFolder(folder); err != nil {
		return nil, err
	}

	var found []store.Object
	err := d.walk(ctx, folder, func(_ *os.Root, name string, info fs.FileInfo) error {
		if store.CheckName(name) != nil {
			return nil // Nothing that a store has made.
		}
		if len(found) == store.MaxList {
			return fmt.Errorf("there are more than %d objects: %w", store.MaxList, store.ErrRefused)
		}
		found = append(found, store.Object{Name: name, Size: info.Size(), Time: info.ModTime()})

		return nil
	})
	if err != nil {
		return nil, translate("list store", err)
	}
	slices.SortFunc(found, func(a, b store.Object) int { return strings.Compare(a.Name, b.Name) })

	return found, nil
}

// walk calls do for each file below a folder. A folder that is not there has none.
func (d *Directory) walk(ctx context.Context, folder string, do func(*os.Root, string, fs.FileInfo) error) error {
	root, err := d.open()
	if err != nil {
		return err
	}
	defer root.Close()

	start := path.Clean("./" + folder)

	return fs.WalkDir(root.FS(), start, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name != ".":
			return nil // It has gone meanwhile, or was never there.
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}

		return do(root, name, info)
	})
}

// Delete implements store.Store.
func (d *Directory) Delete(_ context.Context, name string) error {
	if err := store.CheckName(name); err != nil {
		return err
	}
	root, err := d.open()
	if err != nil {
		return err
	}
	defer root.Close()

	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return translate(fmt.Sprintf("delete %q", name), err)
	}

	return nil
}

// Sweep implements store.Store.
func (d *Directory) Sweep(ctx context.Context, before time.Time) (int, error) {
	n := 0
	err := d.walk(ctx, "", func(root *os.Root, name string, info fs.FileInfo) error {
		if !strings.HasPrefix(path.Base(name), unfinished) || !info.ModTime().Before(before) {
			return nil
		}
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		n++

		return nil
	})
	if err != nil {
		return n, translate("sweep store", err)
	}

	return n, nil
}

// translate gives an error of the file system its class. It names no path of the server.
func translate(what string, err error) error {
	class := store.ErrUnavailable
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), store.Classified(err):
		return fmt.Errorf("%s: %w", what, err)
	case errors.Is(err, fs.ErrNotExist):
		class = store.ErrNotFound
	case errors.Is(err, fs.ErrExist):
		class = store.ErrExists
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		class = store.ErrDenied
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		class = store.ErrFull
	}

	var number syscall.Errno
	if errors.As(err, &number) {
		return fmt.Errorf("%s: %w: %s", what, class, number.Error())
	}

	return fmt.Errorf("%s: %w", what, class)
}
