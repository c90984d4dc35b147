// Package inuse is what control loops share that look after things which others are of: Plans that tenants have, classes of Volumes and of
// snapshots. It counts who is of them, wakes them when that changes, and says when one that is being deleted may go.
//
// Callers: controllers/plan, controllers/volumeclass and controllers/volumesnapshotclass. It imports controller-runtime; never a
// controller or an adapter.
package inuse

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/wake"
)

// Users are the objects of one kind that name what they are of.
type Users[T client.Object] struct {
	// List is an empty list of the kind, made anew for each call.
	List func() client.ObjectList
	// Of is the name of what an object is of; empty for none.
	Of func(T) string
}

// Reader chooses whom to ask for the users of something: who lets it go must not miss one that came a moment ago.
func Reader(o client.Object, cached, live client.Reader) client.Reader {
	if o.GetDeletionTimestamp().IsZero() {
		return cached
	}

	return live
}

// Count is how many there are of what has that name.
func (u Users[T]) Count(ctx context.Context, r client.Reader, name string) (int32, error) {
	list := u.List()
	if err := r.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("list %T: %w", *new(T), err)
	}

	var n int32
	err := meta.EachListItem(list, func(item runtime.Object) error {
		if o, is := item.(T); is && u.Of(o) == name {
			n++
		}

		return nil
	})

	return n, err
}

// Wake asks for what an object is of when it comes, goes, or is of something else than before. Many come at the same time, when a server
// starts: the queue keeps one request for each name, however many ask for it.
func (u Users[T]) Wake() handler.EventHandler {
	ask := func(q wake.Queue, o client.Object) string {
		name := ""
		if t, is := o.(T); is {
			name = u.Of(t)
		}
		if name != "" && q != nil {
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: name}})
		}

		return name
	}

	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q wake.Queue) { ask(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q wake.Queue) { ask(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q wake.Queue) {
			if ask(nil, e.ObjectOld) != ask(nil, e.ObjectNew) {
				ask(q, e.ObjectOld)
				ask(q, e.ObjectNew)
			}
		},
	}
}

// Release ends a pass over something that is being deleted: it goes when nobody is of it any more. Until then message is told.
func Release(users int32, message string) (outcome.Result, error) {
	if users > 0 {
		return outcome.Result{}, &outcome.Wait{Reason: v1alpha1.ReasonInUse, Message: message}
	}

	return outcome.Result{Finalized: true}, nil
}
