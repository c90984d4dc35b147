package workload

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// containersOf are requests for all containers of a tenant.
func containersOf(ctx context.Context, r client.Reader, tenant client.Object) []reconcile.Request {
	return containersBy(ctx, r, client.InNamespace(tenant.GetName()))
}

// suspensionChanged passes a tenant that was suspended or resumed, or that has got its namespace or a network that was
// there before it, and none of its many
// other changes: a change of the network is told by the read cache of the swarm.
func suspensionChanged() predicate.Predicate {
	keys := [...]string{v1alpha1.AnnotationSuspend, v1alpha1.AnnotationBillingSuspend, v1alpha1.AnnotationAdoptNetwork}
	state := func(o client.Object) (out [len(keys)]*string) {
		for i, key := range keys {
			if reason, ok := o.GetAnnotations()[key]; ok {
				out[i] = &reason
			}
		}

		return out
	}
	namespace := func(o client.Object) string {
		if t, ok := o.(*v1alpha1.Tenant); ok {
			return t.Status.Namespace
		}

		return ""
	}
	same := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return state(e.Object) != [len(keys)]*string{} },
		UpdateFunc: func(e event.UpdateEvent) bool {
			was, is := state(e.ObjectOld), state(e.ObjectNew)

			for i := range keys {
				if !same(was[i], is[i]) {
					return true
				}
			}

			return namespace(e.ObjectOld) != namespace(e.ObjectNew)
		},
		DeleteFunc:  func(e event.DeleteEvent) bool { return state(e.Object) != [len(keys)]*string{} },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
