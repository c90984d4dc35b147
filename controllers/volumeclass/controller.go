package volumeclass

import (
	"context"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/inuse"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/volume"
)

// Name of the control loop, in logs and metrics.
const Name = "volumeclass"

// Controller counts the Volumes of classes. It keeps nothing in memory.
type Controller struct {
	cached, live client.Reader
}

// New returns the controller. cached may be behind; live asks the API server itself.
func New(cached, live client.Reader) *Controller { return &Controller{cached, live} }

// volumes are of classes.
var volumes = inuse.Users[*v1alpha1.Volume]{
	List: func() client.ObjectList { return &v1alpha1.VolumeList{} },
	Of:   func(v *v1alpha1.Volume) string { return string(v.Spec.ClassName) },
}

// Reconcile looks at one class. It writes nothing; only the engine persists status.
func (c *Controller) Reconcile(ctx context.Context, class *v1alpha1.VolumeClass) (outcome.Result, error) {
	n, err := volumes.Count(ctx, inuse.Reader(class, c.cached, c.live), class.Name)
	if err != nil {
		return outcome.Result{}, err
	}

	class.Status.Volumes = n
	if !class.DeletionTimestamp.IsZero() {
		return inuse.Release(n, "The class is being deleted, and there are still Volumes of it; it goes when they are gone")
	}

	switch wrong := volume.CheckClass(&class.Spec, true); {
	case len(wrong) > 0:
		// Admission refuses it; it came into the store another way, or before the rule.
		return outcome.Result{}, &outcome.Stall{Reason: v1alpha1.ReasonInvalidSpec, Message: wrong.ToAggregate().Error()}
	case volume.Reuses(&class.Spec):
		conditions.MarkReady(class, v1alpha1.ReasonAvailable, "Volumes can be of it. A Volume whose name and namespace there were before, be it those of "+
			"another tenant, finds the files of the earlier one, because spec.options[device] does not hold ${uid}: better make another class")
	default:
		conditions.MarkReady(class, v1alpha1.ReasonAvailable, "Volumes can be of it")
	}

	return outcome.Result{}, nil
}

// Setup registers the reconciler with a manager. It is woken by its own kind and by Volumes that come and go.
func Setup(mgr ctrl.Manager, r engine.Loop) error {
	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.VolumeClass{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.Volume{}, volumes.Wake()).
		Complete(r)
}
