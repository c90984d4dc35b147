package workload

import (
	"context"
	"crypto/hmac"
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
	accepted := ""

	switch {
	case s.adoptee != nil:
		s.image = s.adoptee.Spec.TaskTemplate.ContainerSpec.Image
	case s.target.record != nil:
		s.image, s.proof = s.target.record.Spec.ResolvedImage, s.target.record.Spec.ImageProof

		granted, err := c.regrant(ctx, s)
		if err != nil {
			return err
		}

		accepted = granted.Auth
	case !s.target.fresh:
		s.image = s.world.Service.Spec.TaskTemplate.ContainerSpec.Image
	default:
		resolved, err := c.resolve(ctx, s)
		if err != nil {
			return err
		}

		s.image, accepted = resolved.Reference, resolved.Auth
	}

	if isID(s.image) {
		return nil
	}

	candidates, err := c.registry.Auths(s.image, s.supply.pullSecrets)
	if err != nil {
		return &outcome.Wait{Reason: v1alpha1.ReasonInvalidReference, Message: "spec.imagePullSecrets: " + err.Error(), Err: err}
	}

	s.auth = chooseAuth(s, accepted, candidates)

	return nil
}

// chooseAuth picks among the credentials that are for the registry: the ones it has just accepted, or else those that
// Swarm has, or else the first. Which of several work is known only after asking, and a choice that changes by itself
// would be a write.
func chooseAuth(s *situation, accepted string, candidates []string) string {
	if accepted != "" || len(candidates) == 0 {
		return accepted
	}

	if live := s.world.Service; live != nil {
		for _, auth := range candidates {
			if live.Spec.Labels[v1alpha1.SwarmLabelRegistryAuth] == authDigest(s.digests, s.owner, auth) {
				return auth
			}
		}
	}

	return candidates[0]
}

// resolve finds the image for a fresh revision, as imagePullPolicy asks.
func (c *Controller) resolve(ctx context.Context, s *situation) (swarmobj.ResolvedImage, error) {
	ref := string(s.template.Image)
	if s.confined {
		return c.resolveGranted(ctx, s, ref)
	}

	switch s.tc.Spec.ImagePullPolicy {
	case v1alpha1.PullNever:
		return c.heldByEngine(ctx, s, ref, nil)
	case v1alpha1.PullAlways:
		return c.askRegistry(ctx, s, ref)
	}

	if known := s.history.latest(); known != nil && string(known.Spec.Template.Image) == ref && pinned(known.Spec.ResolvedImage) {
		return swarmobj.ResolvedImage{Reference: known.Spec.ResolvedImage}, nil
	}

	resolved, err := c.askRegistry(ctx, s, ref)
	if err != nil && errors.Is(err, swarmobj.ErrUnavailable) {
		return c.heldByEngine(ctx, s, ref, err)
	}

	return resolved, err
}

func (c *Controller) askRegistry(ctx context.Context, s *situation, ref string) (swarmobj.ResolvedImage, error) {
	ask := c.registry.Resolve
	if s.confined && pinned(ref) {
		ask = c.registry.Grant
	}

	resolved, err := ask(ctx, ref, s.supply.pullSecrets)

	switch {
	case err == nil:
		return resolved, nil
	case errors.Is(err, swarmobj.ErrNotFound):
		err = noImage(err, "Image %q does not exist in its registry", ref)
	case errors.Is(err, swarmobj.ErrRefused):
		err = noImage(err, "The registry refuses access to image %q; check spec.imagePullSecrets", ref)
	case errors.Is(err, swarmobj.ErrUnavailable):
		err = noImage(err, "The registry of image %q does not answer", ref)
	default:
		err = fmt.Errorf("resolve image %q: %w", ref, err)
	}

	return swarmobj.ResolvedImage{}, err
}

// heldByEngine uses the copy that the engine holds. On a swarm of one node that is the image's ID, which starts at once;
// with several nodes only the name means the same everywhere. away is why the registry was of no use, nil when it was
// not asked.
func (c *Controller) heldByEngine(ctx context.Context, s *situation, ref string, away error) (swarmobj.ResolvedImage, error) {
	alone := len(s.world.Nodes) <= 1

	image, err := c.swarm.LocalImage(ctx, ref)

	switch {
	case errors.Is(err, swarmobj.ErrNotFound) && away != nil:
		return swarmobj.ResolvedImage{}, away
	case errors.Is(err, swarmobj.ErrNotFound) && alone:
		return swarmobj.ResolvedImage{}, noImage(err, "The engine holds no image %q, and imagePullPolicy Never asks no registry", ref)
	case errors.Is(err, swarmobj.ErrNotFound):
		return swarmobj.ResolvedImage{Reference: ref}, nil
	case err != nil:
		return swarmobj.ResolvedImage{}, fmt.Errorf("look for image %q: %w", ref, blind(err))
	}

	if digest, ok := image.DigestOf(ref); ok {
		return swarmobj.ResolvedImage{Reference: digest}, nil
	}
	if alone {
		return swarmobj.ResolvedImage{Reference: image.ID}, nil
	}

	return swarmobj.ResolvedImage{Reference: ref}, nil
}

func noImage(err error, format string, ref string) error {
	return &outcome.Wait{
		Reason: v1alpha1.ReasonImageUnavailable, Message: fmt.Sprintf(format, ref), Err: err, After: imageRetry,
	}
}

// pinned is true for a reference that is fixed to a registry's digest.
func pinned(ref string) bool { return strings.Contains(ref, "@sha256:") }

// authDigest tells credentials apart without giving them away, not even to somebody who guesses; equal passwords of two
// containers do not look equal.
func authDigest(key swarmobj.DigestKey, o swarmobj.Owner, auth string) string {
	if auth == "" {
		return ""
	}

	mac := hmac.New(sha256.New, key.For("registry-auth", o.UID))
	mac.Write([]byte(auth))

	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// isID is true for the ID of an image that the engine holds, which no user can ask for.
func isID(image string) bool { return strings.HasPrefix(image, "sha256:") }
