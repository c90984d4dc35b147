package fetch

import (
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"

	"github.com/dogker/dogker/reconciler/source"
)

// Checkout is one commit. Its objects are in the directory that Fetch was given, and are gone with it.
type Checkout struct {
	// Revision, Commit, Verified and Signer are as in source.Built.
	Revision string
	Commit   source.Commit
	Verified bool
	Signer   string
	// Unchanged is true when nothing was fetched, because the revision is the one that is known.
	Unchanged bool
	// Objects has the commit, and Root is the hash of its tree; both are empty when Unchanged.
	Objects storer.EncodedObjectStorer
	Root    plumbing.Hash
}

// Fetch gets the commit that a request names, into a directory that it may fill. Its time is that of ctx; errors are *source.Error
// but for those of this machine.
func Fetch(ctx context.Context, r source.Request, dir string) (Checkout, error) {
	r.Limits = r.Limits.OrDefault()

	e, err := parseEndpoint(r)
	if err != nil {
		return Checkout{}, err
	}

	if err := errors.Join(checkRef(r.Ref), checkVerify(r.Verify)); err != nil {
		return Checkout{}, first(err)
	}

	// A commit is what it is, whatever the server says today.
	if fixed := (target{name: r.Ref.Branch, commit: plumbing.NewHash(r.Ref.Commit)}); r.Ref.Commit != "" && fixed.revision() == r.Known {
		return unchanged(fixed), nil
	}

	s, err := connect(ctx, r, e, dir)
	if err != nil {
		return Checkout{}, err
	}

	defer s.transport.close()

	adv, err := s.references(ctx)
	if err != nil {
		return Checkout{}, err
	}

	t, err := resolve(r.Ref, adv)
	if err != nil {
		return Checkout{}, err
	}

	if t.revision() == r.Known {
		return unchanged(t), nil
	}

	stream, err := s.pack(ctx, adv, t)
	if err != nil {
		return Checkout{}, err
	}

	store, err := s.receive(ctx, stream, dir)
	if err != nil {
		return Checkout{}, err
	}

	return open(store, t, r.Verify)
}

// Check refuses what Fetch would refuse of a URL and a reference before it asks anybody: it is pure. Errors are *source.Error,
// and never hold the URL, in which people put passwords.
func Check(r source.Request) error {
	_, err := parseEndpoint(r)

	return first(errors.Join(err, checkRef(r.Ref)))
}

// first is the one error that is shown of several.
func first(err error) error {
	var e *source.Error
	if errors.As(err, &e) {
		return e
	}

	return err
}

func unchanged(t target) Checkout {
	return Checkout{Revision: t.revision(), Commit: source.Commit{Hash: t.commit.String()}, Unchanged: true}
}

// open finds the commit among what was fetched, and demands its signatures.
func open(store *storage, t target, v *source.Verify) (Checkout, error) {
	var tag *signed

	if t.tag != plumbing.ZeroHash {
		parsed, err := openTag(store, t)
		if err != nil {
			return Checkout{}, err
		}

		tag = &parsed
	}

	data, err := raw(store, plumbing.CommitObject, t.commit)
	if err != nil {
		return Checkout{}, lasting(source.ReasonReferenceNotFound, "the repository has no commit %s there", t.commit)
	}

	commit, err := parseCommit(data)
	if err != nil {
		return Checkout{}, lasting(source.ReasonRepositoryRefused, "commit %s is malformed", t.commit)
	}

	root, err := commit.tree()
	if err != nil {
		return Checkout{}, lasting(source.ReasonRepositoryRefused, "commit %s is malformed", t.commit)
	}

	c := Checkout{Revision: t.revision(), Commit: commit.describe(t.commit), Objects: store, Root: root}

	if v != nil {
		if c.Signer, err = verify(v, tag, commit); err != nil {
			return Checkout{}, err
		}

		c.Verified = true
	}

	return c, nil
}

// openTag reads the tag and demands that it is of the commit that the server says it is of.
func openTag(store *storage, t target) (signed, error) {
	data, err := raw(store, plumbing.TagObject, t.tag)
	if err != nil {
		return signed{}, lasting(source.ReasonRepositoryRefused, "tag %q is not what the server said it is", clean(t.name, maxSubject))
	}

	tag, err := parseTag(data)
	if err != nil || tag.headers["object"][0] != t.commit.String() || tag.headers["type"][0] != "commit" {
		return signed{}, lasting(source.ReasonRepositoryRefused, "tag %q is not one of a commit", clean(t.name, maxSubject))
	}

	return tag, nil
}
