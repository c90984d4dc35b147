package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// step is what is to be done with one item.
type step struct {
	*item

	action delivery.Action
	diff   []delivery.Difference
	// live is what was looked at; nil for what did not exist or was not looked at.
	live *unstructured.Unstructured
	// want is what the API says that applying comes to; nil where it was not asked.
	want *unstructured.Unstructured
	// stray are fields that were added by hand, and go.
	stray *fieldpath.Set
	// early is why a quota has no room yet. Other steps may make some.
	early *delivery.Error
}

// wanted is what is to be there, as far as that is known.
func (s *step) wanted() *unstructured.Unstructured {
	if s.want != nil {
		return s.want
	}

	return s.object
}

// looks is how often an object is looked at that changes between two questions about it.
const looks = 5

// examine asks the API what applying an item comes to. It writes nothing.
func (v *visit) examine(ctx context.Context, it *item) (*step, error) {
	if it.policy.Skip() {
		return &step{item: it, action: delivery.Skipped}, nil
	}

	for range looks {
		live, err := v.get(ctx, it)
		if err != nil {
			return nil, it.refused(err)
		}

		s, err := v.compare(ctx, it, live)
		if !errors.Is(err, errMoved) {
			return s, err
		}
	}

	e := it.failure(delivery.ReasonConflict, "somebody else changes it all the time")
	e.Transient = true

	return nil, e
}

// get is what there is; nil for nothing.
func (v *visit) get(ctx context.Context, it *item) (*unstructured.Unstructured, error) {
	live, err := v.of(it).Get(ctx, it.id.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}

	return live, err
}

// errMoved means that the object is not any more what it was when it was looked at.
var errMoved = errors.New("the object has changed in between")

// compare holds what applying comes to against what there is.
func (v *visit) compare(ctx context.Context, it *item, live *unstructured.Unstructured) (*step, error) {
	if live != nil {
		if it.passive(live) {
			return &step{item: it, action: delivery.Skipped, live: live}, nil
		}

		if e := v.refuseLive(it, live); e != nil {
			return nil, e
		}
	}

	want, err := v.apply(ctx, it, live, true)
	if err != nil {
		return v.judge(it, live, err)
	}

	if live == nil {
		if want.GetResourceVersion() != "" {
			return nil, errMoved
		}

		return &step{item: it, action: delivery.Created, want: want}, nil
	}

	if want.GetResourceVersion() != live.GetResourceVersion() {
		return nil, errMoved
	}

	s := &step{item: it, action: delivery.Configured, live: live, want: want, diff: differences(it.id, live, want)}
	if it.policy.Mode != inventory.ModeMerge {
		s.stray = stray(want)
		s.diff = append(s.diff, s.removed()...)
	}

	if len(s.diff) == 0 && fieldsOf(live, ours).Equals(fieldsOf(want, ours)) {
		s.action = delivery.Unchanged
	}

	return s, nil
}

// removed are the stray fields as differences. What becomes of them, gone or a default, is seen when they are taken away.
func (s *step) removed() []delivery.Difference {
	var out []delivery.Difference

	if s.stray.Empty() {
		return nil
	}

	s.stray.Leaves().Iterate(func(p fieldpath.Path) {
		if len(out) < maxDifferences {
			out = append(out, delivery.Difference{Path: strings.TrimPrefix(p.String(), "."), From: masked})
		}
	})

	return out
}

// refuseLive says what stands against touching what is there.
func (v *visit) refuseLive(it *item, live *unstructured.Unstructured) *delivery.Error {
	if live.GetDeletionTimestamp() != nil {
		e := it.failure(delivery.ReasonTerminating, "is being deleted, and is applied when it is gone")
		e.Transient = true

		return e
	}

	owner := ownerOf(live)
	if owner.Name == "" || owner == v.request.Sync {
		return nil
	}

	return it.failure(delivery.ReasonForeign, "belongs to the sync %q: take it out of that repository first, or take the label %s off the object",
		owner, inventory.Prefix+inventory.KeyName)
}

// ownerOf is the sync whose labels an object carries; empty for none.
func ownerOf(o metav1.Object) types.NamespacedName {
	labels := o.GetLabels()

	return types.NamespacedName{
		Namespace: labels[inventory.Prefix+inventory.KeyNamespace], Name: labels[inventory.Prefix+inventory.KeyName],
	}
}

// judge says what a refused dry-run means.
func (v *visit) judge(it *item, live *unstructured.Unstructured, err error) (*step, error) {
	switch {
	case apierrors.IsConflict(err) && live != nil, apierrors.IsConflict(err) && strings.Contains(err.Error(), "uid mismatch"):
		return nil, errMoved
	case apierrors.IsNotFound(err) && v.willDeclare(it):
		// Nothing can be tried in a namespace that does not exist. The API has its say when it does.
		return &step{item: it, action: delivery.Created}, nil
	case exceeds(err):
		s := &step{item: it, action: delivery.Created, live: live, early: it.refused(err)}
		if live != nil {
			s.action = delivery.Configured
		}

		return s, nil
	case live != nil && immutable(err):
		if it.policy.Force {
			return &step{item: it, action: delivery.Recreated, live: live}, nil
		}

		e := it.refused(err)
		e.Reason, e.Transient = delivery.ReasonImmutable, false
		e.Message += fmt.Sprintf("; the annotation %s: enabled lets it be deleted and made anew", inventory.Prefix+inventory.KeyForce)

		return nil, e
	}

	return nil, it.refused(err)
}

// immutable is whether all that the API has against a change is that it is one. A change that is also wrong otherwise would be
// refused after the object had been deleted for it.
func immutable(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		return false
	}

	details := status.Status().Details
	if details == nil || len(details.Causes) == 0 {
		return apierrors.IsForbidden(err) && strings.Contains(status.Status().Message, "immutable")
	}

	for _, cause := range details.Causes {
		if !strings.Contains(cause.Message, "immutable") {
			return false
		}
	}

	return true
}

// apply sends an item to the API, at the version of what was looked at.
func (v *visit) apply(ctx context.Context, it *item, live *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, error) {
	out := v.payload(it, live)
	if live != nil {
		out.SetUID(live.GetUID())
		out.SetResourceVersion(live.GetResourceVersion())
	}

	raw, err := json.Marshal(out.Object)
	if err != nil {
		return nil, fmt.Errorf("write object: %w", err)
	}

	o := metav1.PatchOptions{
		FieldManager: FieldManager,
		// What the repository declares is what holds; who else has written it is not asked.
		Force:           new(true),
		FieldValidation: metav1.FieldValidationStrict,
	}
	if dryRun {
		o.DryRun = []string{metav1.DryRunAll}
	}

	return v.of(it).Patch(ctx, it.id.Name, types.ApplyPatchType, raw, o)
}
