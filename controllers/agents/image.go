package agents

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/reference"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// image is the reference that Swarm is given. An image that our engine has from a registry is pinned to its digest there.
// One that was loaded from a file is named by its ID, which is the same on all nodes that were given that file: by its tag
// the engines would ask a registry for it, and run whatever that has. One that our engine does not hold is left to the
// engines as it is written.
func (c *Controller) image(ctx context.Context) (string, error) {
	named, err := reference.ParseNormalizedNamed(c.o.Image)
	if err != nil {
		return "", fmt.Errorf("read image of agents %q: %w", c.o.Image, err)
	}
	written := reference.FamiliarString(reference.TagNameOnly(named))
	if _, pinned := named.(reference.Digested); pinned {
		return reference.FamiliarString(named), nil
	}

	local, err := c.swarm.LocalImage(ctx, written)
	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		return written, nil
	case err != nil:
		return "", err
	}
	if digest, ok := local.DigestOf(written); ok {
		return digest, nil
	}

	return local.ID, nil
}
