package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/authorization/authorizer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// keepData keeps to the platform what holds an object until its data is gone or somebody's: an object that goes without it leaves
// data that counts in no quota, as often as somebody likes. old is nil on create.
func keepData(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, now, old *unstructured.Unstructured, finalizer string) error {
	if old == nil || slices.Contains(now.GetFinalizers(), finalizer) {
		return nil
	}
	i := slices.Index(old.GetFinalizers(), finalizer)
	if i < 0 {
		return nil
	}

	return unlessPlatform(ctx, z, a, field.Forbidden(field.NewPath("metadata", "finalizers").Index(i),
		fmt.Sprintf("%q is taken away by Dogker once nothing is left that it holds; to take it away by hand takes the right to %s %s in all namespaces",
			finalizer, verbAdopt, a.GetResource().Resource)))
}

// keepTicks keeps to Dogker what says that a snapshot was made by schedule: what counts among those pushes older ones out. Whoever
// takes it away keeps the snapshot, in the quota of the tenant.
func keepTicks(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, now, old *unstructured.Unstructured) error {
	var labels, annotations map[string]string
	if old != nil {
		labels, annotations = old.GetLabels(), old.GetAnnotations()
	}

	var errs field.ErrorList
	for _, mark := range []struct {
		of, key     string
		after, were map[string]string
	}{
		{"labels", v1alpha1.LabelSnapshotVolume, now.GetLabels(), labels},
		{"annotations", v1alpha1.AnnotationScheduledAt, now.GetAnnotations(), annotations},
	} {
		value, there := mark.after[mark.key]
		if was, had := mark.were[mark.key]; there && (!had || was != value) {
			errs = append(errs, field.Forbidden(field.NewPath("metadata", mark.of).Key(mark.key),
				"is written by Dogker, on snapshots that it makes by schedule; leave it out"))
		}
	}
	if len(errs) == 0 {
		return nil
	}

	return unlessPlatform(ctx, z, a, errs.ToAggregate())
}

// unlessPlatform is the refusal, but for Dogker itself and for who decides about data in all namespaces.
func unlessPlatform(ctx context.Context, z authorizer.Authorizer, a admission.Attributes, refusal error) error {
	if ofPlatform(a.GetUserInfo()) {
		return nil
	}
	may, err := mayAdopt(ctx, z, a)
	if may {
		return nil
	}

	return apierrors.NewForbidden(a.GetResource().GroupResource(), a.GetName(), errors.Join(refusal, err))
}
