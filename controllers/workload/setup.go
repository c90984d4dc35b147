package workload

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/refs"
	"github.com/dogker/dogker/reconciler/conditions"
	"github.com/dogker/dogker/reconciler/engine"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/wake"
)

// Indexes by which the controller finds objects in the cache.
const (
	// IndexRevisionOwner finds the revisions of a container by its UID.
	IndexRevisionOwner = "metadata.ownerReferences.uid"
	indexReference     = "spec.references"
	indexDependency    = "spec.dependsOn"
	indexVolume        = "spec.volumes"
)

// Indexes are what a cache must know for this controller, as controller-runtime's FieldIndexer takes them.
var Indexes = []struct {
	Object client.Object
	Field  string
	Values client.IndexerFunc
}{
	{&v1alpha1.ContainerRevision{}, IndexRevisionOwner, ownerUIDs},
	{&v1alpha1.TenantContainer{}, indexReference, references},
	{&v1alpha1.TenantContainer{}, indexDependency, dependencies},
	{&v1alpha1.TenantContainer{}, indexVolume, volumesOf},
}

// workers is how many containers are worked on at once. Swarm takes about that many writes in parallel; more only
// queue there.
const workers = 8

// Setup registers the reconciler with a manager. It is woken by its own kind, by the Secrets and ConfigMaps that specs
// refer to, by the containers that specs depend on or share Volumes with, by these, and by hints about owners in Swarm.
func Setup(mgr ctrl.Manager, r engine.Loop, hints <-chan event.TypedGenericEvent[swarmobj.Owner]) error {
	for _, i := range Indexes {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), i.Object, i.Field, i.Values); err != nil {
			return err
		}
	}

	find := func(field string, key func(client.Object) string) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return containersBy(ctx, mgr.GetClient(), client.InNamespace(o.GetNamespace()), client.MatchingFields{field: key(o)})
		})
	}

	return ctrl.NewControllerManagedBy(mgr).
		Named(Name).
		For(&v1alpha1.TenantContainer{}, builder.WithPredicates(r.IgnoreOwnWrites())).
		Owns(&v1alpha1.ContainerRevision{}, builder.WithPredicates(predicate.Funcs{
			// A new record is judged by the next pass, which nothing else may start.
			UpdateFunc:  func(event.UpdateEvent) bool { return false },
			GenericFunc: func(event.GenericEvent) bool { return false },
		})).
		Owns(&v1alpha1.TenantJob{}).
		Watches(&corev1.Secret{}, find(indexReference, func(o client.Object) string { return "Secret/" + o.GetName() })).
		Watches(&corev1.ConfigMap{}, find(indexReference, func(o client.Object) string { return "ConfigMap/" + o.GetName() })).
		Watches(&v1alpha1.TenantContainer{}, find(indexDependency, client.Object.GetName), builder.WithPredicates(turnedReady())).
		Watches(&v1alpha1.Volume{}, find(indexVolume, client.Object.GetName), builder.WithPredicates(volumeChanged())).
		Watches(&v1alpha1.TenantContainer{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return sharing(ctx, mgr.GetClient(), o)
		}), builder.WithPredicates(mountsChanged())).
		Watches(&v1alpha1.Tenant{}, handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []reconcile.Request {
			return containersOf(ctx, mgr.GetClient(), o)
		}), builder.WithPredicates(suspensionChanged())).
		WatchesRawSource(source.Channel(hints, handler.TypedEnqueueRequestsFromMapFunc(hinted))).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
}

// turnedReady passes a container that has become ready: those that wait for it may start.
func turnedReady() predicate.Predicate {
	ready := func(o client.Object) bool {
		tc, ok := o.(*v1alpha1.TenantContainer)

		return ok && conditions.IsTrue(tc, conditions.Ready)
	}

	return predicate.Funcs{
		CreateFunc:  func(e event.CreateEvent) bool { return ready(e.Object) },
		UpdateFunc:  func(e event.UpdateEvent) bool { return ready(e.ObjectNew) && !ready(e.ObjectOld) },
		DeleteFunc:  func(event.DeleteEvent) bool { return false },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}

func hinted(_ context.Context, o swarmobj.Owner) []reconcile.Request {
	if o.Kind != kind {
		return nil
	}

	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.Tenant, Name: o.Name}}}
}

// containersBy lists containers. What cannot be listed is not lost: the periodic look at everything finds it.
func containersBy(ctx context.Context, r client.Reader, which ...client.ListOption) []reconcile.Request {
	return wake.Found(ctx, r, &v1alpha1.TenantContainerList{}, which...)
}

func ownerUIDs(o client.Object) []string {
	var out []string
	for _, r := range o.GetOwnerReferences() {
		out = append(out, string(r.UID))
	}

	return out
}

func references(o client.Object) []string {
	tc, ok := o.(*v1alpha1.TenantContainer)
	if !ok {
		return nil
	}

	secrets, configMaps := refs.Names(&tc.Spec)

	var out []string
	for _, n := range secrets {
		out = append(out, "Secret/"+n)
	}
	for _, n := range configMaps {
		out = append(out, "ConfigMap/"+n)
	}

	return out
}

func dependencies(o client.Object) []string {
	tc, ok := o.(*v1alpha1.TenantContainer)
	if !ok {
		return nil
	}

	var out []string
	for _, d := range tc.Spec.DependsOn {
		out = append(out, string(d.Name))
	}

	return out
}
