package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/sight"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// imageRetry is when to ask again for an image that could not be had.
const imageRetry = 10 * time.Second

// chooseImage decides which image a run runs and what the engine needs to pull it, once for all its tasks. A confined job runs
// only what its registry gives to the pull secrets of its namespace, now: an image that a node holds may be another tenant's
// (rule I2).
func (c *Controller) chooseImage(ctx context.Context, s *start) error {
	resolved, err := c.resolve(ctx, s)
	if err != nil {
		return err
	}

	s.image, s.auth = resolved.Reference, resolved.Auth
	if s.auth != "" || isID(s.image) {
		return nil
	}

	candidates, err := c.registry.Auths(s.image, s.pullSecrets)
	if err != nil {
		return &outcome.Wait{Reason: v1alpha1.ReasonInvalidReference, Message: "spec.template.imagePullSecrets: " + err.Error(), Err: err}
	}
	if len(candidates) > 0 {
		s.auth = candidates[0]
	}

	return nil
}

func (c *Controller) resolve(ctx context.Context, s *start) (swarmobj.ResolvedImage, error) {
	ref := string(s.template.Image)

	switch {
	case s.confined && strings.Contains(ref, "@sha256:"):
		resolved, err := c.registry.Grant(ctx, ref, s.pullSecrets)

		return resolved, unobtainable(err, ref)
	case s.confined || s.template.ImagePullPolicy == v1alpha1.PullAlways:
		resolved, err := c.registry.Resolve(ctx, ref, s.pullSecrets)

		return resolved, unobtainable(err, ref)
	case s.template.ImagePullPolicy == v1alpha1.PullNever:
		return c.heldByEngine(ctx, s, ref, nil)
	}

	resolved, err := c.registry.Resolve(ctx, ref, s.pullSecrets)
	if errors.Is(err, swarmobj.ErrUnavailable) {
		return c.heldByEngine(ctx, s, ref, unobtainable(err, ref))
	}

	return resolved, unobtainable(err, ref)
}

// heldByEngine uses the copy that the engine holds. On a swarm of one node that is the image's ID, which starts at once; with
// several nodes only the name means the same everywhere. away is why the registry was of no use, nil when it was not asked.
func (c *Controller) heldByEngine(ctx context.Context, s *start, ref string, away error) (swarmobj.ResolvedImage, error) {
	alone := len(s.seen.Nodes) <= 1

	image, err := c.swarm.LocalImage(ctx, ref)

	switch {
	case errors.Is(err, swarmobj.ErrNotFound) && away != nil:
		return swarmobj.ResolvedImage{}, away
	case errors.Is(err, swarmobj.ErrNotFound) && alone:
		return swarmobj.ResolvedImage{}, noImage(err, "The engine holds no image %q, and imagePullPolicy Never asks no registry", ref)
	case errors.Is(err, swarmobj.ErrNotFound):
		return swarmobj.ResolvedImage{Reference: ref}, nil
	case err != nil:
		return swarmobj.ResolvedImage{}, fmt.Errorf("look for image %q: %w", ref, sight.Lost(err))
	}

	if digest, ok := image.DigestOf(ref); ok {
		return swarmobj.ResolvedImage{Reference: digest}, nil
	}
	if alone {
		return swarmobj.ResolvedImage{Reference: image.ID}, nil
	}

	return swarmobj.ResolvedImage{Reference: ref}, nil
}

// unobtainable turns the error of a registry into a Wait; nil stays nil.
func unobtainable(err error, ref string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, swarmobj.ErrNotFound):
		return noImage(err, "Image %q does not exist in its registry", ref)
	case errors.Is(err, swarmobj.ErrRefused):
		return noImage(err, "The registry refuses access to image %q; check spec.template.imagePullSecrets", ref)
	case errors.Is(err, swarmobj.ErrUnavailable):
		return noImage(err, "The registry of image %q does not answer", ref)
	default:
		return fmt.Errorf("resolve image %q: %w", ref, err)
	}
}

func noImage(err error, format string, ref string) error {
	return &outcome.Wait{
		Reason: v1alpha1.ReasonImageUnavailable, Message: fmt.Sprintf(format, ref), Err: err, After: imageRetry,
	}
}

// isID is true for the ID of an image that the engine holds, which no user can ask for.
func isID(image string) bool { return strings.HasPrefix(image, "sha256:") }
