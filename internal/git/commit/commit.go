package commit

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// Description is what a commit says of itself.
type Description struct {
	// Author and Email are of the one who is author and committer.
	Author, Email string
	Message       string
	Time          time.Time
}

// Result is a commit that a server can be sent.
type Result struct {
	Hash plumbing.Hash
	// Pack has the commit and the trees and files that are new in it.
	Pack []byte
}

// Make commits files, by their paths, on top of a commit with a tree. Each of them must be in the tree, as a file: it keeps its
// mode. The new objects are written to the store as well.
func Make(objects storer.EncodedObjectStorer, parent, root plumbing.Hash, files map[string][]byte, d Description) (Result, error) {
	m := maker{objects: objects}

	tree, err := m.tree(root, files)
	if err != nil {
		return Result{}, err
	}

	who := object.Signature{Name: d.Author, Email: d.Email, When: d.Time.UTC()}
	c := &object.Commit{Author: who, Committer: who, Message: d.Message, TreeHash: tree, ParentHashes: []plumbing.Hash{parent}}

	hash, err := m.store(c)
	if err != nil {
		return Result{}, fmt.Errorf("write commit: %w", err)
	}

	var pack bytes.Buffer
	if _, err := packfile.NewEncoder(&pack, objects, false).Encode(m.made, 0); err != nil {
		return Result{}, fmt.Errorf("pack commit: %w", err)
	}

	return Result{Hash: hash, Pack: pack.Bytes()}, nil
}

// maker remembers what it makes.
type maker struct {
	objects storer.EncodedObjectStorer
	made    []plumbing.Hash
}

// tree is a tree with files replaced, which are named from it.
func (m *maker) tree(hash plumbing.Hash, files map[string][]byte) (plumbing.Hash, error) {
	t, err := object.GetTree(m.objects, hash)
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("read tree: %w", err)
	}

	here, below := map[string][]byte{}, map[string]map[string][]byte{}

	for path, data := range files {
		dir, rest, nested := strings.Cut(path, "/")

		switch {
		case !nested:
			here[path] = data
		case below[dir] == nil:
			below[dir] = map[string][]byte{rest: data}
		default:
			below[dir][rest] = data
		}
	}

	for i := range t.Entries {
		e := &t.Entries[i]

		data, isFile := here[e.Name]
		inside, isDir := below[e.Name]

		switch {
		case isFile && e.Mode != filemode.Dir && e.Mode.IsFile() && e.Mode != filemode.Symlink:
			e.Hash, err = m.blob(data)
			delete(here, e.Name)
		case isDir && e.Mode == filemode.Dir:
			e.Hash, err = m.tree(e.Hash, inside)
			delete(below, e.Name)
		}

		if err != nil {
			return plumbing.ZeroHash, err
		}
	}

	if left := slices.Sorted(maps.Keys(here)); len(left) > 0 {
		return plumbing.ZeroHash, fmt.Errorf("replace file %q: it is not in the tree", left[0])
	}

	if left := slices.Sorted(maps.Keys(below)); len(left) > 0 {
		return plumbing.ZeroHash, fmt.Errorf("replace file in %q: it is not in the tree", left[0])
	}

	return m.store(t)
}

func (m *maker) blob(data []byte) (plumbing.Hash, error) {
	o := m.objects.NewEncodedObject()
	o.SetType(plumbing.BlobObject)

	w, err := o.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}

	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return plumbing.ZeroHash, err
	}

	if err := w.Close(); err != nil {
		return plumbing.ZeroHash, err
	}

	return m.keep(o)
}

func (m *maker) store(v interface {
	Encode(o plumbing.EncodedObject) error
},
) (plumbing.Hash, error) {
	o := m.objects.NewEncodedObject()
	if err := v.Encode(o); err != nil {
		return plumbing.ZeroHash, err
	}

	return m.keep(o)
}

func (m *maker) keep(o plumbing.EncodedObject) (plumbing.Hash, error) {
	hash, err := m.objects.SetEncodedObject(o)
	if err == nil && !slices.Contains(m.made, hash) {
		m.made = append(m.made, hash)
	}

	return hash, err
}
