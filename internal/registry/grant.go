package registry

import (
	"context"
	"fmt"

	"github.com/distribution/reference"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Grant asks the registry whether it gives ref, which must have a digest, to somebody with these pull secrets, and which
// of them it is for. It asks for the manifest of that digest; a tag plays no part. Answers are as old as those of Resolve
// may be, and are remembered for the same credentials only.
func (c *Client) Grant(ctx context.Context, ref string, pullSecrets [][]byte) (swarmobj.ResolvedImage, error) {
	named, creds, err := parse(ref, pullSecrets)
	if err != nil {
		return swarmobj.ResolvedImage{}, fmt.Errorf("ask for image %q: %w", ref, err)
	}

	digested, ok := named.(reference.Digested)
	if !ok {
		return swarmobj.ResolvedImage{}, fmt.Errorf("ask for image %q: %w", ref, refused("it has no digest"))
	}

	plain, err := reference.WithDigest(reference.TrimNamed(named), digested.Digest())
	if err != nil {
		return swarmobj.ResolvedImage{}, fmt.Errorf("ask for image %q: %w", ref, refused("%v", err))
	}

	image, err := c.question(ctx, plain, creds)
	if err != nil {
		return swarmobj.ResolvedImage{}, fmt.Errorf("ask for image %q: %w", ref, err)
	}

	return swarmobj.ResolvedImage{Reference: ref, Auth: image.Auth}, nil
}
