package wake

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Queue is that of a control loop.
type Queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Found are requests for all objects of a kind that a cache has, of those that the options leave; none when it cannot be read.
func Found(ctx context.Context, cached client.Reader, list client.ObjectList, which ...client.ListOption) []reconcile.Request {
	if err := cached.List(ctx, list, append(slices.Clip(which), client.UnsafeDisableDeepCopy)...); err != nil {
		return nil
	}

	out := make([]reconcile.Request, 0, meta.LenList(list))
	_ = meta.EachListItem(list, func(item runtime.Object) error {
		if o, ok := item.(client.Object); ok {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o)})
		}

		return nil
	})

	return out
}

// CameOrWent passes what changes how many there are, and no change of one.
func CameOrWent() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// Later makes a request of every change, and puts it into the queue a while later: a hundred objects that are applied together
// start one pass, not a hundred.
func Later(after time.Duration, request func(client.Object) reconcile.Request) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q Queue) { q.AddAfter(request(e.Object), after) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q Queue) { q.AddAfter(request(e.ObjectNew), after) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q Queue) { q.AddAfter(request(e.Object), after) },
	}
}
