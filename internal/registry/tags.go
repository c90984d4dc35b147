package registry

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// maxTags is how many tags a repository may have of which the latest is looked for. The busiest public ones have a tenth.
	maxTags = 50_000
	// pageTags is how many are asked for at once; many registries give no more than a hundred, whatever they are asked.
	pageTags = 1000
	maxPages = maxTags / 100
	// tagsTimeout of one list, with all its pages and credentials.
	tagsTimeout = time.Minute
)

// validTag is what a tag can be. What a registry calls one that is none is not passed on.
var validTag = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

// Tags lists the tags of a repository, sorted. The list is whole or there is none. Lists are shared by all who ask for the same
// repository with the same credentials; maxAge is how old one may be. A failure is remembered as one of Resolve is. Nobody may
// change the list.
func (c *Client) Tags(ctx context.Context, repository string, pullSecrets [][]byte, maxAge time.Duration) ([]string, error) {
	named, creds, err := parse(repository, pullSecrets)
	if err != nil {
		return nil, fmt.Errorf("list tags of %q: %w", repository, err)
	}

	if !reference.IsNameOnly(named) {
		return nil, fmt.Errorf("list tags of %q: %w", repository, refused("it has a tag or a digest; tags are those of a repository"))
	}

	t := target{ref: named, host: canonicalHost(reference.Domain(named))}

	tags, err := c.lists.get(ctx, questionKey(t, creds), maxAge, func(ctx context.Context) ([]string, error) {
		return c.list(ctx, t, creds)
	})
	if err != nil {
		return nil, fmt.Errorf("list tags of %q: %w", repository, err)
	}

	return tags, nil
}

// list tries the credentials in order and then without, as a question for a digest does.
func (c *Client) list(ctx context.Context, t target, creds []credential) ([]string, error) {
	var errs []error

	for _, cr := range creds {
		a := c.through(t.host, cr.fingerprint(), func() attempt { return c.tryTags(ctx, t, cr.authenticator(), true) })
		if a.err == nil || errors.Is(a.err, swarmobj.ErrUnavailable) {
			return a.tags, a.err
		}

		errs = append(errs, a.err)
	}

	a := c.through(t.host, "", func() attempt { return c.tryTags(ctx, t, authn.Anonymous, false) })
	if a.err == nil || errors.Is(a.err, swarmobj.ErrUnavailable) {
		return a.tags, a.err
	}

	return nil, decided(append(errs, a.err))
}

// tryTags reads all pages with one credential, or with none.
func (c *Client) tryTags(ctx context.Context, t target, auth authn.Authenticator, withSecret bool) attempt {
	x := &exchange{base: c.transport(t.host), plain: c.plain(t.host), count: c.requests}

	var insecure []name.Option
	if x.plain {
		insecure = append(insecure, name.Insecure)
	}

	reg, err := name.NewRegistry(t.host, insecure...)
	if err != nil {
		return attempt{err: refused("%q is no host of a registry", t.host)}
	}

	puller, err := remote.NewPuller(append(c.options(ctx, x, auth), remote.WithPageSize(pageTags))...)
	if err != nil {
		return attempt{err: refused("%q is no host of a registry", t.host)}
	}

	tags, err := pages(ctx, puller, reg.Repo(reference.Path(t.ref)))

	var known *failure

	switch {
	case errors.As(err, &known):
		return attempt{err: err}
	case err != nil:
		return x.judge(t, withSecret)
	}

	slices.Sort(tags)

	return attempt{tags: slices.Compact(tags)}
}

// pages follows a list from page to page, within bounds.
func pages(ctx context.Context, puller *remote.Puller, repository name.Repository) ([]string, error) {
	lister, err := puller.Lister(ctx, repository)
	if err != nil {
		return nil, err
	}

	var tags []string

	for page := 0; lister.HasNext(); page++ {
		if page == maxPages {
			return nil, refused("its tags are on more than %d pages", maxPages)
		}

		next, err := lister.Next(ctx)
		if err != nil {
			return nil, err
		}

		for _, tag := range next.Tags {
			if !validTag.MatchString(tag) {
				continue
			}

			// A page is megabytes of text, which every tag would keep.
			if tags = append(tags, strings.Clone(tag)); len(tags) > maxTags {
				return nil, refused("it has more than %d tags", maxTags)
			}
		}
	}

	return tags, nil
}
