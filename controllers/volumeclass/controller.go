package volumeclass

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
	"github.com/dogker/dogker/reconciler/wake"
)

// Name of the control loop, in logs and metrics.
const Name = "volumeclass"

// Controller counts the Volumes of classes. It keeps nothing in memory.
type Controller struct {
	cached, live client.Reader
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader) *Controller { return &Controller{cached, live} }

// Reconcile looks at one class. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, class *v1alpha1.VolumeClass) (outcome.Result, error) {
	deleted := !class.DeletionTimestamp.IsZero()

	// What is let go must not have come into use meanwhile.
	reader := c.cached
	if deleted {
		reader = c.live
	}

	n, err := volumesOf(ctx, reader, class.Name)
	if err != nil {
		return outcome.Result{}, err
	}

	class.Status.Volumes = n

	switch wrong := volume.CheckClass(&class.Spec, true); {
	case deleted && n > 0:
		return outcome.Result{}, &outcome.Wait{
			Reason:  v1alpha1.ReasonInUse,
			Message: "The class is being deleted, and there are still Volumes of it; it goes when they are gone",
		}
	case deleted:
		return outcome.Result{Finalized: true}, nil
	case len(wrong) > 0:
		// Admission refuses it; it came into the store another way, or before the rule.
		return outcome.Result{}, &outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Message: wrong.ToAggregate().Error()}
	case volume.Reuses(&class.Spec):
		conditions.MarkReady(class, v1alpha1.ReasonAvailable, "Volumes can be of it. A Volume whose name and namespace there were before, be it those of "+
			"another tenant, finds the files of the earlier one, because spec.options[device] does not hold ${uid}: better make another class")

		return outcome.Result{}, nil
	default:
		conditions.MarkReady(class, v1alpha1.ReasonAvailable, "Volumes can be of it")

		return outcome.Result{}, nil
	}
}

func volumesOf(ctx context.Context, r client.Reader, class string) (int32, error) {
	var list v1alpha1.VolumeList
	if err := r.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return 0, fmt.Errorf("list volumes: %w", err)
	}

	var n int32

	for i := range list.Items {
		if string(list.Items[i].Spec.ClassName) == class {
			n++
		}
	}

	return n, nil
}

// Setup registers the reconciler with a manager. It is woken by its own kind and by Volumes that come and go.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.VolumeClass{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Volume{}, classesOf()).
		Complete(r)
}

// classesOf asks for the class of a Volume that came or went. The class of one never changes. Many come at the same time, when a
// server starts: the queue keeps one request for a class, however many ask for it.
func classesOf() handler.EventHandler {
	ask := func(q wake.Queue, o client.Object) {
		if v, ok := o.(*v1alpha1.Volume); ok && v.Spec.ClassName != "" {
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: string(v.Spec.ClassName)}})
		}
	}

	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q wake.Queue) { ask(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q wake.Queue) { ask(q, e.Object) },
	}
}
