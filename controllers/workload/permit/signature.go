package permit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Verifier knows who has signed images.
type Verifier interface {
	// Verify returns the fingerprint of the one of the keys, in PEM, that has signed the image, which is given with its
	// digest, as cosign does. It fails with swarmobj.ErrNotFound when the registry has no signature, with
	// swarmobj.ErrRefused when none is by one of the keys, and with swarmobj.ErrUnavailable when the registry does not
	// answer.
	Verify(ctx context.Context, ref string, pullSecrets [][]byte, keys []string) (key string, err error)
}

// Signed demands that one of the keys of the rule has signed exactly the image that is to run. It fails with a Wait. declared is
// the image as its owner wrote it.
func Signed(ctx context.Context, v Verifier, rule *v1alpha1.SignatureRule, declared v1alpha1.Image, image string, pullSecrets [][]byte, now time.Time) (*v1alpha1.ImageSignature, error) {
	untrusted := func(why string, err error) error {
		return &outcome.Wait{
			Reason: v1alpha1.ReasonImageNotTrusted, After: Retry, Err: err,
			Message: fmt.Sprintf("Image %q %s; images.signatures %q of the tenant's plan asks for a signature", declared, why, rule.Name),
		}
	}

	_, digest, pinned := strings.Cut(image, "@")
	if !pinned {
		return nil, untrusted("is not pinned to a digest of its registry, and only that can be signed", nil)
	}

	keys := make([]string, len(rule.PublicKeys))
	for i, k := range rule.PublicKeys {
		keys[i] = string(k)
	}

	switch key, err := v.Verify(ctx, image, pullSecrets, keys); {
	case err == nil:
		return &v1alpha1.ImageSignature{Rule: rule.Name, Key: key, Digest: digest, VerifiedTime: metav1.NewTime(now).Rfc3339Copy()}, nil
	case errors.Is(err, swarmobj.ErrNotFound):
		return nil, untrusted("has no signature in its registry", err)
	case errors.Is(err, swarmobj.ErrUnavailable):
		return nil, untrusted("cannot be verified: its registry does not answer", err)
	case errors.Is(err, swarmobj.ErrRefused):
		return nil, untrusted("carries no signature by one of the keys", err)
	default:
		return nil, fmt.Errorf("verify image %q: %w", image, err)
	}
}
