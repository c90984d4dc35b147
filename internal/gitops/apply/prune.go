package apply

import (
	"context"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

// Prune deletes what is on record and not built, in the reverse of the order in which it would be applied. It returns what it
// did and what is on record from now on, also with an error: what could not be deleted stays there.
func (p *Plan) Prune(ctx context.Context) (delivery.Changes, []inventory.Entry, error) {
	var (
		done delivery.Changes
		left []inventory.Object
		errs delivery.Errors
	)

	gone := slices.Clone(p.decision.Delete)
	slices.SortStableFunc(gone, func(a, b inventory.Object) int {
		return rank(&item{id: b.ID}) - rank(&item{id: a.ID})
	})

	for _, o := range gone {
		change, err := p.visit.prune(ctx, o)

		var one *delivery.Error

		switch {
		case errors.As(err, &one):
			errs = append(errs, one)
			left = append(left, o)
		case err != nil:
			return done, p.Record(), err
		case change.Action != "":
			done = append(done, change)
		}
	}

	for _, k := range p.decision.Keep {
		done = append(done, delivery.Change{ID: k.ID, Action: delivery.Kept, Why: k.Why})
	}

	return done, inventory.Write(p.decision.After(built(p.items), left)), errs.Err()
}

// prune deletes one object, if it still is the sync's and does not object. There is no change where it was gone already.
func (v *visit) prune(ctx context.Context, o inventory.Object) (delivery.Change, error) {
	it := &item{id: o.ID}

	mapping, err := v.kinds.RESTMapping(schema.GroupKind{Group: o.Group, Kind: o.Kind}, o.Version)
	if meta.IsNoMatchError(err) {
		mapping, err = v.kinds.RESTMapping(schema.GroupKind{Group: o.Group, Kind: o.Kind})
	}

	if meta.IsNoMatchError(err) {
		// Where there is no such kind any more there is no such object.
		return delivery.Change{}, nil
	}

	if err != nil {
		return delivery.Change{}, it.refused(err)
	}

	// A record is written by us, but it is not our secret: what is outside of the namespace is not deleted by it.
	if o.Namespace != v.request.Sync.Namespace && !v.request.AnyNamespace {
		return delivery.Change{ID: o.ID, Action: delivery.Kept, Why: WhyOutside}, nil
	}

	heads := v.heads.Resource(mapping.Resource).Namespace(o.Namespace)

	for range looks {
		change, err := v.pruneAt(ctx, heads, o)
		if !apierrors.IsConflict(err) {
			if err != nil {
				return delivery.Change{}, it.refused(err)
			}

			return change, nil
		}
	}

	e := it.failure(delivery.ReasonConflict, "somebody else changes it all the time")
	e.Transient = true

	return delivery.Change{}, e
}

// WhyOutside is said of what a record has and the sync's namespace has not.
const WhyOutside = "it is not in the namespace of this sync"

// pruneAt looks at the object and deletes it at the version that it has. A conflict means that it must be looked at again.
func (v *visit) pruneAt(ctx context.Context, heads metadata.ResourceInterface, o inventory.Object) (delivery.Change, error) {
	head, err := heads.Get(ctx, o.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && head.DeletionTimestamp != nil {
		return delivery.Change{}, nil
	}

	if err != nil {
		return delivery.Change{}, err
	}

	policy, _ := inventory.PolicyOf(head.Labels, head.Annotations)

	switch {
	case ownerOf(head) != v.request.Sync:
		return delivery.Change{ID: o.ID, Action: delivery.Kept, Why: inventory.WhyForeign}, nil
	case policy.KeepForever, policy.Skip():
		return delivery.Change{ID: o.ID, Action: delivery.Kept, Why: inventory.WhyOptedOut}, nil
	}

	err = heads.Delete(ctx, o.Name, metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &head.UID, ResourceVersion: &head.ResourceVersion},
		PropagationPolicy: new(metav1.DeletePropagationBackground),
	})
	if apierrors.IsNotFound(err) {
		err = nil
	}

	return delivery.Change{ID: o.ID, Action: delivery.Deleted}, err
}
