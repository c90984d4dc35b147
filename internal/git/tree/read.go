package tree

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	// maxLinks is how many symlinks a path may go through, and maxLinkBytes how long one may be.
	maxLinks     = 40
	maxLinkBytes = 4096
	// lfsPointer is what a file begins with that Git LFS has elsewhere.
	lfsPointer = "version https://git-lfs.github.com/spec/"
)

// Entry is what is at a path.
type Entry struct {
	// Path is where it really is, after symlinks; the root is empty.
	Path string
	// Dir is true for directories.
	Dir bool
	// Size of a file.
	Size int64
	node *node
}

// Join is the path that something in a directory means by a relative path. It is an error when that is not in the repository.
func Join(at, relative string) (string, error) {
	if path.IsAbs(relative) {
		return "", refused(source.ReasonRepositoryRefused, "", "%.200q is an absolute path; paths are relative to the file they are in", relative)
	}

	// Without a root to stop at, a path that leaves keeps its dots.
	joined := path.Join(at, relative)
	if joined == ".." || strings.HasPrefix(joined, "../") {
		return "", refused(source.ReasonRepositoryRefused, "", "%.200q leads out of the repository", relative)
	}

	return joined, nil
}

// Lookup finds what is at a path, through symlinks. An error that matches fs.ErrNotExist means that nothing is.
func (t *Tree) Lookup(at string) (Entry, error) {
	at = path.Clean(at)
	if at == ".." || strings.HasPrefix(at, "../") || path.IsAbs(at) || strings.Contains(at, "\x00") {
		return Entry{}, refused(source.ReasonRepositoryRefused, "", "%.200q leads out of the repository", at)
	}

	var (
		names []string // of the nodes that were gone down to
		nodes = []*node{t.root}
		todo  = split(at)
		links int
	)

	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]

		if name == ".." {
			if len(names) == 0 {
				return Entry{}, refused(source.ReasonRepositoryRefused, show(at), "is a symlink that leads out of the repository")
			}

			names, nodes = names[:len(names)-1], nodes[:len(nodes)-1]

			continue
		}

		here := nodes[len(nodes)-1]
		next := here.children[name]

		if err := usable(here, next, at); err != nil {
			return Entry{}, err
		}

		if next.kind != link {
			names, nodes = append(names, name), append(nodes, next)

			continue
		}

		if links++; links > maxLinks {
			return Entry{}, refused(source.ReasonRepositoryRefused, show(at), "goes through more than %d symlinks", maxLinks)
		}

		target, err := t.target(next, at)
		if err != nil {
			return Entry{}, err
		}

		todo = append(split(target), todo...)
	}

	n := nodes[len(nodes)-1]

	return Entry{Path: path.Join(names...), Dir: n.kind == dir, Size: n.size, node: n}, nil
}

// usable says why there is no way on to a node.
func usable(here, next *node, at string) error {
	missing := func(message string) error {
		return &source.Error{Reason: source.ReasonPathNotFound, File: show(at), Message: message, Cause: fs.ErrNotExist}
	}

	switch {
	case here.kind != dir || next == nil:
		return missing("is not in the repository")
	case next.ignored:
		return missing("is ignored, by the defaults, a .sourceignore or the rules of the sync")
	case next.kind == module:
		return missing("is a submodule, and submodules are not fetched")
	default:
		return nil
	}
}

// split is the names in a path. Those that change nothing are left out.
func split(p string) []string {
	var names []string

	for name := range strings.SplitSeq(p, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}

	return names
}

// target is what a symlink says.
func (t *Tree) target(n *node, at string) (string, error) {
	if n.size > maxLinkBytes {
		return "", refused(source.ReasonRepositoryRefused, show(at), "is a symlink of %d bytes", n.size)
	}

	data, err := t.content(n, at)
	if err != nil {
		return "", err
	}

	target := string(data)
	if path.IsAbs(target) || strings.Contains(target, "\x00") {
		return "", refused(source.ReasonRepositoryRefused, show(at), "is a symlink that leads out of the repository")
	}

	return target, nil
}

// ReadFile is the content of a file.
func (t *Tree) ReadFile(at string) ([]byte, error) {
	e, err := t.Lookup(at)
	if err != nil {
		return nil, err
	}

	if e.Dir {
		return nil, refused(source.ReasonBuildFailed, show(at), "is a directory, where a file is expected")
	}

	if e.Size > t.limits.FileBytes {
		return nil, refused(source.ReasonLimitExceeded, show(at), "has %d bytes; files of at most %d are built", e.Size, t.limits.FileBytes)
	}

	data, err := t.content(e.node, at)
	if err != nil {
		return nil, err
	}

	if bytes.HasPrefix(data, []byte(lfsPointer)) {
		return nil, refused(source.ReasonBuildFailed, show(at), "is in Git LFS, and files in Git LFS are not fetched")
	}

	return data, nil
}

// content reads an object of which the size is known to be in bounds.
func (t *Tree) content(n *node, at string) ([]byte, error) {
	data, err := t.blob(n)
	if err != nil {
		return nil, refused(source.ReasonRepositoryRefused, show(at), "its content is missing or malformed in the repository")
	}

	return data, nil
}

func (t *Tree) blob(n *node) ([]byte, error) {
	o, err := t.objects.EncodedObject(plumbing.BlobObject, n.hash)
	if err != nil {
		return nil, err
	}

	r, err := o.Reader()
	if err != nil {
		return nil, err
	}

	defer func() { _ = r.Close() }()

	return io.ReadAll(io.LimitReader(r, n.size))
}

// ReadDir is the names in a directory, in Git's order, without what is ignored and without submodules.
func (t *Tree) ReadDir(at string) ([]string, error) {
	e, err := t.Lookup(at)
	if err != nil {
		return nil, err
	}

	var names []string

	for _, name := range e.node.names {
		if child := e.node.children[name]; !child.ignored && child.kind != module {
			names = append(names, name)
		}
	}

	return names, nil
}
