package volume

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/jobrun"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/wake"
)

// Hints are what wakes Volumes beside objects of the API.
type Hints struct {
	// Data that came, went or was measured, by its labels.
	Data <-chan event.TypedGenericEvent[swarmobj.Owner]
	// Jobs are the UIDs of Volumes whose work with data has ended; others are among them.
	Jobs <-chan event.TypedGenericEvent[string]
	// Nodes have changed in a way that matters to Volumes.
	Nodes <-chan event.TypedGenericEvent[struct{}]
}

// Setup registers the reconciler with a manager. It is woken by its own kind, by containers and jobs that mount Volumes, by their
// snapshots, by classes, and by hints. It has one worker: where a Volume goes depends on where others have gone.
func Setup(mgr ctrl.Manager, r engine.Loop, hints Hints) error {
	all := func(ctx context.Context, _ struct{}) []reconcile.Request {
		return wake.Found(ctx, mgr.GetClient(), &v1alpha1.VolumeList{})
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.Volume{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Watches(&v1alpha1.TenantContainer{}, mounted(mgr.GetClient())).
		Watches(&v1alpha1.TenantJob{}, mounted(mgr.GetClient())).
		Watches(&v1alpha1.VolumeSnapshot{}, handler.EnqueueRequestsFromMapFunc(snapshotted)).
		Watches(&v1alpha1.VolumeSnapshot{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return restoredFrom(ctx, mgr.GetClient(), o)
		})).
		Watches(&v1alpha1.VolumeClass{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return ofClass(ctx, mgr.GetClient(), o.GetName())
		}), builder.WithPredicates(wake.CameOrWent())).
		WatchesRawSource(source.Channel(hints.Data, handler.TypedEnqueueRequestsFromMapFunc(hinted))).
		WatchesRawSource(source.Channel(hints.Jobs, handler.TypedEnqueueRequestsFromMapFunc(func(ctx context.Context, uid string) []reconcile.Request {
			return withUID(ctx, mgr.GetClient(), uid)
		}))).
		WatchesRawSource(source.Channel(hints.Nodes, handler.TypedEnqueueRequestsFromMapFunc(all))).
		Complete(r)
}

// snapshotted asks for the Volume that a snapshot is of: its schedule goes by what there is.
func snapshotted(_ context.Context, o client.Object) []reconcile.Request {
	s, ok := o.(*v1alpha1.VolumeSnapshot)
	if !ok || s.Spec.Source.VolumeName == "" {
		return nil
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: s.Namespace, Name: string(s.Spec.Source.VolumeName)}}}
}

// restoredFrom asks for the Volumes that are to have the data of a snapshot.
func restoredFrom(ctx context.Context, cached client.Reader, o client.Object) []reconcile.Request {
	return which(ctx, cached, func(v *v1alpha1.Volume) bool { return string(v.Spec.RestoreFrom) == o.GetName() }, client.InNamespace(o.GetNamespace()))
}

// withUID asks for the Volume that work was ordered for.
func withUID(ctx context.Context, cached client.Reader, uid string) []reconcile.Request {
	return which(ctx, cached, func(v *v1alpha1.Volume) bool { return string(v.UID) == uid })
}

func which(ctx context.Context, cached client.Reader, is func(*v1alpha1.Volume) bool, within ...client.ListOption) []reconcile.Request {
	var all v1alpha1.VolumeList
	if cached.List(ctx, &all, append(within, client.UnsafeDisableDeepCopy)...) != nil {
		return nil // Who waits looks again.
	}

	var out []reconcile.Request
	for i := range all.Items {
		if is(&all.Items[i]) {
			out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}

	return out
}

func hinted(_ context.Context, o swarmobj.Owner) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}}}
}

// mounted asks for the Volumes that a container or a job mounts, and for those that it mounted, when that or where it can run has
// changed, or when the job is over; and with every step that it takes, for those of which it is not on record yet that something has
// mounted them, for those that
// wait for what mounts them to stop or to run, and for those that are to be moved when no run of a job mounts them any more.
func mounted(cached client.Reader) handler.EventHandler {
	ask := func(q wake.Queue, o client.Object) {
		for _, m := range mounts(o) {
			q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: string(m.Name)}})
		}
	}

	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q wake.Queue) { ask(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q wake.Queue) { ask(q, e.Object) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q wake.Queue) {
			for _, m := range mounts(e.ObjectNew) {
				key := types.NamespacedName{Namespace: e.ObjectNew.GetNamespace(), Name: string(m.Name)}
				var v v1alpha1.Volume
				if cached.Get(ctx, key, &v) == nil && waits(&v) {
					q.Add(reconcile.Request{NamespacedName: key})
				}
			}
			if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || over(e.ObjectOld) != over(e.ObjectNew) {
				ask(q, e.ObjectOld)
				ask(q, e.ObjectNew)
			}
		},
	}
}

// waits is true for a Volume that something follows for from a step of what mounts it.
func waits(v *v1alpha1.Volume) bool {
	moved := conditions.Get(v, v1alpha1.ConditionMoved)

	return v.Status.MountedAt == nil || v.Status.Move != nil || moved != nil && moved.Status == metav1.ConditionFalse || len(v.Status.Superseded) > 0
}

func mounts(o client.Object) []v1alpha1.VolumeMount {
	switch o := o.(type) {
	case *v1alpha1.TenantContainer:
		return o.Spec.Volumes
	case *v1alpha1.TenantJob:
		return o.Spec.Template.Volumes
	}

	return nil
}

func over(o client.Object) bool {
	job, ok := o.(*v1alpha1.TenantJob)

	return ok && jobrun.Over(job)
}

// ofClass lists the Volumes of a class.
func ofClass(ctx context.Context, r client.Reader, class string) []reconcile.Request {
	return which(ctx, r, func(v *v1alpha1.Volume) bool { return string(v.Spec.ClassName) == class })
}
