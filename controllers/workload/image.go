package workload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// imageRetry is when to ask again for an image that could not be had.
const imageRetry = 30 * time.Second

// chooseImage decides which image the target runs, and what the engine needs to pull it. A revision keeps the image it
// was made with; only a fresh one asks a registry, so that a registry that is away, or a tag that has moved, changes
// nothing that runs.
func (c *Controller) chooseImage(ctx context.Context, s *situation) error {
	switch {
	case s.target.record != nil:
		s.image = s.target.record.Spec.ResolvedImage
	case !s.target.fresh:
		s.image = s.world.Service.Spec.TaskTemplate.ContainerSpec.Image
	default:
		resolved, err := c.resolve(ctx, s)
		if err != nil {
			return err
		}

		s.image = resolved
	}

	if isID(s.image) {
		return nil
	}

	auth, err := c.registry.Auth(s.image, s.supply.pullSecrets)
	if err != nil {
		return &outcome.Wait{Reason: v1alpha1.ReasonInvalidReference, Message: "spec.imagePullSecrets: " + err.Error(), Err: err}
	}

	s.auth = auth

	return nil
}

// resolve finds the image for a fresh revision, as imagePullPolicy asks.
func (c *Controller) resolve(ctx context.Context, s *situation) (string, error) {
	ref := string(s.template.Image)

	switch s.tc.Spec.ImagePullPolicy {
	case v1alpha1.PullNever:
		return c.heldByEngine(ctx, s, ref, nil)
	case v1alpha1.PullAlways:
		return c.askRegistry(ctx, s, ref)
	}

	if known := s.history.latest(); known != nil && string(known.Spec.Template.Image) == ref && pinned(known.Spec.ResolvedImage) {
		return known.Spec.ResolvedImage, nil
	}

	resolved, err := c.askRegistry(ctx, s, ref)
	if err != nil && errors.Is(err, swarmobj.ErrUnavailable) {
		return c.heldByEngine(ctx, s, ref, err)
	}

	return resolved, err
}

func (c *Controller) askRegistry(ctx context.Context, s *situation, ref string) (string, error) {
	resolved, err := c.registry.Resolve(ctx, ref, s.supply.pullSecrets)

	switch {
	case err == nil:
		return resolved.Reference, nil
	case errors.Is(err, swarmobj.ErrNotFound):
		return "", noImage(err, "Image %q does not exist in its registry", ref)
	case errors.Is(err, swarmobj.ErrRefused):
		return "", noImage(err, "The registry refuses access to image %q; check spec.imagePullSecrets", ref)
	case errors.Is(err, swarmobj.ErrUnavailable):
		return "", noImage(err, "The registry of image %q does not answer", ref)
	default:
		return "", fmt.Errorf("resolve image %q: %w", ref, err)
	}
}

// heldByEngine uses the copy that the engine holds. On a swarm of one node that is the image's ID, which starts at once;
// with several nodes only the name means the same everywhere. away is why the registry was of no use, nil when it was
// not asked.
func (c *Controller) heldByEngine(ctx context.Context, s *situation, ref string, away error) (string, error) {
	alone := len(s.world.Nodes) <= 1

	image, err := c.swarm.LocalImage(ctx, ref)

	switch {
	case errors.Is(err, swarmobj.ErrNotFound) && away != nil:
		return "", away
	case errors.Is(err, swarmobj.ErrNotFound) && alone:
		return "", noImage(err, "The engine holds no image %q, and imagePullPolicy Never asks no registry", ref)
	case errors.Is(err, swarmobj.ErrNotFound):
		return ref, nil
	case err != nil:
		return "", fmt.Errorf("look for image %q: %w", ref, blind(err))
	}

	if digest, ok := image.DigestOf(ref); ok {
		return digest, nil
	}
	if alone {
		return image.ID, nil
	}

	return ref, nil
}

func noImage(err error, format string, ref string) error {
	return &outcome.Wait{
		Reason: v1alpha1.ReasonImageUnavailable, Message: fmt.Sprintf(format, ref), Err: err, After: imageRetry,
	}
}

// pinned is true for a reference that is fixed to a registry's digest.
func pinned(ref string) bool { return strings.Contains(ref, "@sha256:") }

// authDigest tells credentials apart without giving them away: it is keyed by the owner, so that equal passwords of two
// tenants do not look equal.
func authDigest(o swarmobj.Owner, auth string) string {
	if auth == "" {
		return ""
	}

	sum := sha256.Sum256([]byte(o.UID + "\x00" + auth))

	return hex.EncodeToString(sum[:8])
}

// isID is true for the ID of an image that the engine holds, which no user can ask for.
func isID(image string) bool { return strings.HasPrefix(image, "sha256:") }
