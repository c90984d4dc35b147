package tree

import (
	"context"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/dogker/dogker/reconciler/source"
)

// maxDepth is how deep directories may nest.
const maxDepth = 64

// kind is what a node is.
type kind int

const (
	file kind = iota
	dir
	link
	module
)

// node is one entry of the commit.
type node struct {
	kind     kind
	hash     plumbing.Hash
	size     int64
	ignored  bool
	names    []string // of children, in the order of the commit
	children map[string]*node
}

// Tree is the files of a commit.
type Tree struct {
	objects storer.EncodedObjectStorer
	root    *node
	limits  source.Limits
}

// Load counts the files of a commit and checks their names. It reads no contents.
func Load(ctx context.Context, objects storer.EncodedObjectStorer, root plumbing.Hash, limits source.Limits) (*Tree, error) {
	t := &Tree{objects: objects, limits: limits.OrDefault()}
	l := loader{tree: t, ctx: ctx}

	var err error
	t.root, err = l.dir(root, "", 0)

	return t, err
}

// loader counts while it goes.
type loader struct {
	tree    *Tree
	ctx     context.Context //nolint:containedctx // it lives as long as one call
	entries int
	bytes   int64
}

func refused(reason source.Reason, at, format string, args ...any) error {
	return &source.Error{Reason: reason, File: at, Message: fmt.Sprintf(format, args...)}
}

// dir reads one directory and what is below it.
func (l *loader) dir(hash plumbing.Hash, at string, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, refused(source.ReasonLimitExceeded, show(at), "directories are nested deeper than %d", maxDepth)
	}

	if err := l.ctx.Err(); err != nil {
		return nil, &source.Error{Reason: source.ReasonTimeout, Transient: true, Message: "the files could not be listed in time", Cause: err}
	}

	t, err := object.GetTree(l.tree.objects, hash)
	if err != nil {
		return nil, refused(source.ReasonRepositoryRefused, show(at), "the directory is missing or malformed in the commit")
	}

	n := &node{kind: dir, hash: hash, children: make(map[string]*node, min(len(t.Entries), l.tree.limits.Files))}

	for _, e := range t.Entries {
		child, err := l.entry(e, path.Join(at, e.Name), depth)
		if err != nil {
			return nil, err
		}

		if _, twice := n.children[e.Name]; twice {
			return nil, refused(source.ReasonRepositoryRefused, show(path.Join(at, e.Name)), "is in the commit twice")
		}

		n.children[e.Name] = child
		n.names = append(n.names, e.Name)
	}

	return n, nil
}

func (l *loader) entry(e object.TreeEntry, at string, depth int) (*node, error) {
	if why := badName(e.Name); why != "" {
		return nil, refused(source.ReasonRepositoryRefused, show(path.Dir(at)), "the name %.100q in it %s", e.Name, why)
	}

	limits := l.tree.limits

	// Directories count as well: a commit of nothing but directories is as much work.
	if l.entries++; l.entries > limits.Files {
		return nil, refused(source.ReasonLimitExceeded, "", "the repository has more than %d files", limits.Files)
	}

	switch e.Mode {
	case filemode.Dir:
		return l.dir(e.Hash, at, depth+1)
	case filemode.Submodule:
		return &node{kind: module}, nil
	case filemode.Regular, filemode.Executable, filemode.Deprecated, filemode.Symlink:
	default:
		return nil, refused(source.ReasonRepositoryRefused, show(at), "is no file, directory or symlink")
	}

	size, err := l.tree.objects.EncodedObjectSize(e.Hash)
	if err != nil {
		return nil, refused(source.ReasonRepositoryRefused, show(at), "its content is missing in the repository")
	}

	if l.bytes += size; l.bytes > limits.TreeBytes {
		return nil, refused(source.ReasonLimitExceeded, "", "the files of the commit are larger than %d bytes together", limits.TreeBytes)
	}

	n := &node{kind: file, hash: e.Hash, size: size}
	if e.Mode == filemode.Symlink {
		n.kind = link
	}

	return n, nil
}

// badName says what is wrong with the name of a file, if anything is. What Git itself refuses to check out is refused, and what
// would let one name look like another.
func badName(name string) string {
	switch {
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return "is no name of a file"
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.ContainsFunc(name, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }):
		return "has characters that cannot be seen"
	case len(name) > 255:
		return "is longer than 255 bytes"
	}

	// Names that some file systems take for .git: by case, by trailing dots and spaces, by its short name.
	plain := strings.TrimRight(strings.ToLower(name), ". ")
	if plain == ".git" || plain == "git~1" || strings.HasPrefix(strings.ToLower(name), ".git:") {
		return "stands for Git's own directory"
	}

	return ""
}

// show is a path that is fit to be printed; the root is ".".
func show(at string) string {
	if at == "" || at == "." {
		return "."
	}

	if len(at) > 300 {
		at = at[:300] + "…"
	}

	return strings.ToValidUTF8(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.Is(unicode.Cf, c) {
			return '?'
		}

		return c
	}, at), "?")
}
