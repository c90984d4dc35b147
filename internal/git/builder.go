package git

import (
	"context"
	"errors"
	"os"

	"github.com/dogker/dogker/internal/git/build"
	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/tree"
	"github.com/dogker/dogker/reconciler/source"
)

// Builder builds in its own process.
type Builder struct {
	// Dir is where it makes directories for what it fetches, and removes them; empty is the system's for such things.
	Dir string
}

var (
	_ source.Builder = Builder{}
	_ source.Lister  = Builder{}
)

// Refs lists references. See source.Lister.
func (b Builder) Refs(ctx context.Context, r source.RefsRequest) (source.Refs, error) {
	r = r.OrDefault()

	ctx, cancel := context.WithTimeout(ctx, r.Limits.Time)
	defer cancel()

	dir, err := os.MkdirTemp(b.Dir, "git-")
	if err != nil {
		return source.Refs{}, internal(err)
	}

	defer func() { _ = os.RemoveAll(dir) }()

	refs, err := fetch.List(ctx, r, dir)
	if err != nil {
		return source.Refs{}, internal(err)
	}

	return refs, nil
}

// Build fetches and builds. See source.Builder.
func (b Builder) Build(ctx context.Context, r source.Request) (source.Built, error) {
	r.Limits = r.Limits.OrDefault()

	ctx, cancel := context.WithTimeout(ctx, r.Limits.Time)
	defer cancel()

	dir, err := os.MkdirTemp(b.Dir, "git-")
	if err != nil {
		return source.Built{}, internal(err)
	}

	defer func() { _ = os.RemoveAll(dir) }()

	c, err := fetch.Fetch(ctx, r, dir)
	if err != nil {
		return source.Built{}, internal(err)
	}

	built := source.Built{Revision: c.Revision, Commit: c.Commit, Unchanged: c.Unchanged, Verified: c.Verified, Signer: c.Signer}
	if c.Unchanged {
		return built, nil
	}

	if built.Objects, err = objects(ctx, r, c); err != nil {
		return source.Built{}, at(c.Revision, internal(err))
	}

	built.Digest = source.DigestOf(built.Objects)

	return built, nil
}

func objects(ctx context.Context, r source.Request, c fetch.Checkout) ([]source.Object, error) {
	t, err := tree.Load(ctx, c.Objects, c.Root, r.Limits)
	if err != nil {
		return nil, err
	}

	if err := t.Ignore(r.Ignore); err != nil {
		return nil, err
	}

	return build.Objects(ctx, t, r)
}

// at says which revision it is that cannot be built.
func at(revision string, e *source.Error) *source.Error {
	out := *e
	out.Revision = revision

	return &out
}

// internal makes an error of this machine one that can be shown: without its paths.
func internal(err error) *source.Error {
	var known *source.Error
	if errors.As(err, &known) {
		return known
	}

	return &source.Error{
		Reason: source.ReasonWorkerFailed, Transient: true, Message: "the build failed for a cause that is not the repository's", Cause: err,
	}
}
