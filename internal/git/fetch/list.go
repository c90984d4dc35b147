package fetch

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/dogker/dogker/reconciler/source"
)

// List asks which references a repository has, and fetches nothing. Its time is that of ctx; errors are *source.Error but for
// those of this machine. A repository without any is an error: nobody should conclude something from a server that has just
// been set up anew.
func List(ctx context.Context, r source.RefsRequest, dir string) (source.Refs, error) {
	r = r.OrDefault()
	q := source.Request{URL: r.URL, Auth: r.Auth, Limits: r.Limits, AllowPrivateAddresses: r.AllowPrivateAddresses}

	e, err := parseEndpoint(q)
	if err != nil {
		return source.Refs{}, err
	}

	s, err := connect(ctx, q, e, dir)
	if err != nil {
		return source.Refs{}, err
	}

	defer s.transport.close()

	adv, err := s.references(ctx)
	if err != nil {
		return source.Refs{}, err
	}

	all := make([]source.Tip, 0, len(adv.References))

	for name, hash := range adv.References {
		if !nameable(name) || clean(name, maxName) != name {
			continue
		}

		if peeled, ok := adv.Peeled[name]; ok {
			hash = peeled
		}

		if hash != plumbing.ZeroHash {
			all = append(all, source.Tip{Name: name, Commit: hash.String()})
		}
	}

	return r.Select(all), nil
}
