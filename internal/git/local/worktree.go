package local

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/memory"
)

// worktree is files as a store of Git's objects. Its directories are in memory, and its files where they are.
type worktree struct {
	*memory.Storage

	files map[plumbing.Hash]content
}

var _ storer.EncodedObjectStorer = (*worktree)(nil)

// content is where the content of a file comes from.
type content struct {
	size int64
	read func() ([]byte, error)
}

func newWorktree() *worktree {
	return &worktree{Storage: memory.NewStorage(), files: map[plumbing.Hash]content{}}
}

// EncodedObject implements storer.EncodedObjectStorer.
func (w *worktree) EncodedObject(kind plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	c, ok := w.files[h]
	if !ok {
		return w.Storage.EncodedObject(kind, h)
	}

	data, err := c.read()
	if err != nil {
		return nil, err
	}

	o := &plumbing.MemoryObject{}
	o.SetType(plumbing.BlobObject)
	_, err = o.Write(data)

	return o, err
}

// EncodedObjectSize implements storer.EncodedObjectStorer.
func (w *worktree) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	if c, ok := w.files[h]; ok {
		return c.size, nil
	}

	return w.Storage.EncodedObjectSize(h)
}

// file adds a file and returns what it is known by. That is made of its name: what it holds is not read for it.
func (w *worktree) file(at string, c content) plumbing.Hash {
	h := plumbing.ComputeHash(plumbing.BlobObject, []byte(at))
	w.files[h] = c

	return h
}

// directory adds a directory of this machine and all below it.
func (w *worktree) directory(ctx context.Context, at string) (plumbing.Hash, error) {
	if err := ctx.Err(); err != nil {
		return plumbing.ZeroHash, err
	}

	found, err := os.ReadDir(at)
	if err != nil {
		return plumbing.ZeroHash, err
	}

	var entries []object.TreeEntry

	for _, d := range found {
		e, ok, err := w.entry(ctx, filepath.Join(at, d.Name()), d)
		if err != nil {
			return plumbing.ZeroHash, err
		}

		if ok {
			entries = append(entries, e)
		}
	}

	return w.tree(entries)
}

// entry is one name in a directory; false for what Git does not store.
func (w *worktree) entry(ctx context.Context, at string, d fs.DirEntry) (e object.TreeEntry, ok bool, err error) {
	e.Name = d.Name()

	switch {
	case d.Name() == ".git":
		return e, false, nil
	case d.IsDir():
		e.Mode = filemode.Dir
		e.Hash, err = w.directory(ctx, at)

		return e, true, err
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(at)
		if err != nil {
			return e, false, err
		}

		e.Mode = filemode.Symlink
		e.Hash = w.file(at, content{int64(len(target)), func() ([]byte, error) { return []byte(target), nil }})

		return e, true, nil
	case d.Type().IsRegular():
		info, err := d.Info()
		if err != nil {
			return e, false, err
		}

		e.Mode = filemode.Regular
		e.Hash = w.file(at, content{info.Size(), func() ([]byte, error) { return os.ReadFile(at) }})

		return e, true, nil
	default:
		return e, false, nil
	}
}

// tree adds a directory of these entries.
func (w *worktree) tree(entries []object.TreeEntry) (plumbing.Hash, error) {
	sort.Sort(object.TreeEntrySorter(entries))

	o := w.NewEncodedObject()
	if err := (&object.Tree{Entries: entries}).Encode(o); err != nil {
		return plumbing.ZeroHash, fmt.Errorf("write directory: %w", err)
	}

	return w.SetEncodedObject(o)
}
