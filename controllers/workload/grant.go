package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// An image that a node holds may be another tenant's, pulled with credentials of theirs, and an engine asks no registry
// for what it holds by digest. So a confined container runs only what its registry has given, by digest, to the pull
// secrets of its own namespace (rule I2). That it has is kept on record with the revision: an outage of the registry, and
// a restart of Dogker in the middle of one, take nothing back.

// resolveGranted finds the image for a fresh revision of a confined container.
func (c *Controller) resolveGranted(ctx context.Context, s *situation, ref string) (swarmobj.ResolvedImage, error) {
	always := s.tc.Spec.ImagePullPolicy == v1alpha1.PullAlways

	if known := s.history.latest(); known != nil && !always && string(known.Spec.Template.Image) == ref && granted(known) {
		s.proof = grantOf(known.Spec.ImageProof.GrantedTime)

		return swarmobj.ResolvedImage{Reference: known.Spec.ResolvedImage}, nil
	}

	resolved, err := c.askRegistry(ctx, s, ref)

	switch {
	case err == nil:
		s.proof = grantOf(stamp(s.now))

		return resolved, nil
	case always || !errors.Is(err, swarmobj.ErrUnavailable):
		return swarmobj.ResolvedImage{}, err
	default:
		return c.grantedBefore(ctx, s, ref, err)
	}
}

// regrant makes sure of the image of a revision on record that does not run, and that was made before anybody asked. What
// runs is left alone, and what has been granted once stays granted.
func (c *Controller) regrant(ctx context.Context, s *situation) (swarmobj.ResolvedImage, error) {
	if !s.confined || granted(s.target.record) || liveRevision(s.world.Service) == s.target.number {
		return swarmobj.ResolvedImage{}, nil
	}
	if !pinned(s.image) {
		return swarmobj.ResolvedImage{}, noImage(nil, "No registry has given image %q, which this revision ran, to this namespace", string(s.template.Image))
	}

	resolved, err := c.askRegistry(ctx, s, s.image)
	if errors.Is(err, swarmobj.ErrUnavailable) {
		return c.grantedBefore(ctx, s, s.image, err)
	}

	return resolved, err
}

// grantedBefore finds the image on record, while its registry is away: what it was given for the same digest, or last for
// the same tag. What nodes hold plays no part, and nobody is told of it.
func (c *Controller) grantedBefore(ctx context.Context, s *situation, ref string, away error) (swarmobj.ResolvedImage, error) {
	earlier, err := c.grantIn(ctx, s.tc.Namespace, ref)
	if err != nil {
		return swarmobj.ResolvedImage{}, err
	}
	if earlier == nil {
		return swarmobj.ResolvedImage{}, noImage(away,
			"The registry of image %q does not answer, and only what it has given to this namespace before can be used meanwhile", ref)
	}

	s.proof = grantOf(earlier.Spec.ImageProof.GrantedTime)
	if pinned(ref) {
		return swarmobj.ResolvedImage{Reference: ref}, nil
	}

	return swarmobj.ResolvedImage{Reference: earlier.Spec.ResolvedImage}, nil
}

// grantIn is the revision of the namespace that was last granted the image; nil when none was. Nobody changes what it
// points to.
func (c *Controller) grantIn(ctx context.Context, namespace, ref string) (*v1alpha1.ContainerRevision, error) {
	var list v1alpha1.ContainerRevisionList
	if err := c.client.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list revisions of namespace %q: %w", namespace, err)
	}

	var last *v1alpha1.ContainerRevision
	for i := range list.Items {
		r := &list.Items[i]
		if !granted(r) || string(r.Spec.Template.Image) != ref && !swarmobj.SameImage(r.Spec.ResolvedImage, ref) {
			continue
		}
		if last == nil || last.Spec.ImageProof.GrantedTime.Before(r.Spec.ImageProof.GrantedTime) {
			last = r
		}
	}

	return last, nil
}

// granted is true for a revision whose image its registry has given to the namespace.
func granted(r *v1alpha1.ContainerRevision) bool {
	return r.Spec.ImageProof != nil && r.Spec.ImageProof.GrantedTime != nil && pinned(r.Spec.ResolvedImage)
}

func grantOf(since *metav1.Time) *v1alpha1.ImageProof {
	return &v1alpha1.ImageProof{GrantedTime: since.DeepCopy()}
}

// proofOf is what is on record in favour of the image that runs. It says nothing about another one, which somebody may
// have put in its place.
func (s *situation) proofOf(image string) *v1alpha1.ImageProof {
	record := s.history.number(liveRevision(s.world.Service))
	if record == nil || record.Spec.ResolvedImage != image {
		return nil
	}

	return record.Spec.ImageProof.DeepCopy()
}

// stamp is a time as the API keeps it: in whole seconds.
func stamp(t time.Time) *metav1.Time { return new(metav1.NewTime(t).Rfc3339Copy()) }
