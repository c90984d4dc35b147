package worker

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/dogker/dogker/reconciler/source"
)

// fullHash is what a commit is called by.
var fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// listed reads the answer to a question for references. It believes only what was asked for, of names that are plain, and no
// more of it than was asked for.
func listed(d *json.Decoder, r source.RefsRequest) (source.Refs, error) {
	var l line
	if err := d.Decode(&l); err != nil {
		return source.Refs{}, fmt.Errorf("%w: %w", errAnswer, err)
	}

	switch {
	case l.Error != nil:
		return source.Refs{}, readable(l.Error)
	case l.Refs == nil:
		return source.Refs{}, errAnswer
	}

	for _, t := range l.Refs.Items {
		if !strings.HasPrefix(t.Name, "refs/") || plain(t.Name) != t.Name || !fullHash.MatchString(t.Commit) {
			return source.Refs{}, errAnswer
		}
	}

	refs := r.Select(l.Refs.Items)
	if len(refs.Items) != len(l.Refs.Items) || len(refs.Cut) > 0 {
		return source.Refs{}, errAnswer
	}

	// That something is missing can only be known where it was left out.
	for _, p := range l.Refs.Cut {
		refs.Cut = append(refs.Cut, source.RefPattern(plain(string(p))))
	}

	return refs, nil
}
