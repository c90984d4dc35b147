package git

import (
	"context"
	"errors"
	"os"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dogker/dogker/internal/git/commit"
	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/setters"
	"github.com/dogker/dogker/internal/git/tree"
	"github.com/dogker/dogker/reconciler/source"
)

// pushTries is how often a commit is made anew because somebody else was first.
const pushTries = 4

var _ source.Editor = Builder{}

// Edit commits an image and pushes. See source.Editor.
func (b Builder) Edit(ctx context.Context, r source.EditRequest) (source.Edited, error) {
	r.Limits = r.Limits.OrDefault()

	ctx, cancel := context.WithTimeout(ctx, r.Limits.Time)
	defer cancel()

	for range pushTries {
		edited, err := b.editOnce(ctx, r)
		if !errors.Is(err, fetch.ErrMoved) {
			return edited, err
		}
	}

	return source.Edited{}, &source.Error{
		Reason: source.ReasonPushFailed, Transient: true, Message: "others push to the branch faster than this can be done",
	}
}

func (b Builder) editOnce(ctx context.Context, r source.EditRequest) (source.Edited, error) {
	dir, err := os.MkdirTemp(b.Dir, "git-")
	if err != nil {
		return source.Edited{}, internal(err)
	}

	defer func() { _ = os.RemoveAll(dir) }()

	edited, err := edit(ctx, r, dir)
	if err == nil || errors.Is(err, fetch.ErrMoved) {
		return edited, err
	}

	return source.Edited{}, internal(err)
}

// edit fetches, changes, commits and pushes, once.
func edit(ctx context.Context, r source.EditRequest, dir string) (source.Edited, error) {
	q := source.Request{URL: r.URL, Auth: r.Auth, Limits: r.Limits, AllowPrivateAddresses: r.AllowPrivateAddresses, Known: r.Known}

	c, target, err := checkout(ctx, q, r, dir)
	if err != nil {
		return source.Edited{}, err
	}

	edited := source.Edited{Revision: c.Revision, Unchanged: c.Unchanged, Branch: target.Branch}
	if c.Unchanged {
		return edited, nil
	}

	t, err := tree.Load(ctx, c.Objects, c.Root, r.Limits)
	if err != nil {
		return source.Edited{}, err
	}

	e := editor{tree: t, image: r.Image, files: map[string][]byte{}, limits: r.Limits}
	start, err := t.Lookup(r.Path)
	if err != nil {
		return source.Edited{}, err
	}

	if err := e.visit(ctx, start.Path); err != nil {
		return source.Edited{}, err
	}

	edited.Markers = e.markers
	if len(e.files) == 0 {
		return edited, nil
	}

	text, err := message(r, e.changes)
	if err != nil {
		return source.Edited{}, err
	}

	parent := plumbing.NewHash(c.Commit.Hash)

	made, err := commit.Make(c.Objects, parent, c.Root, e.files, commit.Description{Author: r.Author, Email: r.Email, Message: text, Time: time.Now()})
	if err != nil {
		return source.Edited{}, err
	}

	target.New, target.Pack = made.Hash, made.Pack
	if err := fetch.Push(ctx, q, dir, target); err != nil {
		return source.Edited{}, err
	}

	edited.Commit, edited.Changes = made.Hash.String(), e.changes[:min(len(e.changes), source.MaxChanges)]
	edited.Revision = target.Branch + "@sha1:" + edited.Commit

	return edited, nil
}

// checkout fetches the commit to change, and says which branch moves from where.
func checkout(ctx context.Context, q source.Request, r source.EditRequest, dir string) (fetch.Checkout, fetch.Update, error) {
	if r.PushBranch != "" && r.PushBranch != r.Branch {
		q.Ref.Branch = r.PushBranch

		c, err := fetch.Fetch(ctx, q, dir)
		if err == nil {
			return c, fetch.Update{Branch: r.PushBranch, Old: plumbing.NewHash(c.Commit.Hash)}, nil
		}

		var missing *source.Error
		if !errors.As(err, &missing) || missing.Reason != source.ReasonReferenceNotFound {
			return c, fetch.Update{}, err
		}
	}

	q.Ref.Branch = r.Branch

	c, err := fetch.Fetch(ctx, q, dir)
	if err != nil {
		return c, fetch.Update{}, err
	}

	// Of a branch that nobody named the server has said what it is called.
	branch := strings.TrimSuffix(c.Revision, "@sha1:"+c.Commit.Hash)

	switch {
	case branch == "HEAD":
		return c, fetch.Update{}, &source.Error{Reason: source.ReasonReferenceNotFound, Field: "branch", Message: "the server does not say which branch its HEAD is: name one"}
	case r.PushBranch != "" && r.PushBranch != branch:
		return c, fetch.Update{Branch: r.PushBranch}, nil
	default:
		return c, fetch.Update{Branch: branch, Old: plumbing.NewHash(c.Commit.Hash)}, nil
	}
}

// editor collects what changes in a tree.
type editor struct {
	tree    *tree.Tree
	image   source.Image
	limits  source.Limits
	files   map[string][]byte
	changes []source.Change
	markers int
}

// visit looks at a file, or at all files below a directory. What is reached by a symlink is where it really is, and is looked at
// there; files that are too large to be built are too large to be marked.
func (e *editor) visit(ctx context.Context, at string) error {
	if err := ctx.Err(); err != nil {
		return &source.Error{Reason: source.ReasonTimeout, Transient: true, Message: "the files could not be looked at in time", Cause: err}
	}

	entry, err := e.tree.Lookup(at)
	if err != nil {
		return err
	}

	if entry.Path != at {
		return nil
	}

	if !entry.Dir {
		return e.file(at, entry.Size)
	}

	names, err := e.tree.ReadDir(at)
	if err != nil {
		return err
	}

	for _, name := range names {
		below, err := e.tree.Lookup(path.Join(at, name))

		switch {
		case err != nil:
			// A symlink that leads nowhere is nothing to write to.
			continue
		case below.Dir || isYAML(name):
			if err := e.visit(ctx, path.Join(at, name)); err != nil {
				return err
			}
		}
	}

	return nil
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func (e *editor) file(at string, size int64) error {
	if size > e.limits.FileBytes {
		return nil
	}

	data, err := e.tree.ReadFile(at)
	if err != nil {
		return err
	}

	out, changes, markers, err := setters.Apply(at, data, e.image)
	if err != nil {
		return err
	}

	e.markers += markers

	if len(changes) > 0 {
		e.files[at] = out
		e.changes = append(e.changes, changes...)
	}

	return nil
}
