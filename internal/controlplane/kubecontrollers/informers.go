package kubecontrollers

import (
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// ungarbaged are kinds that the garbage collector does not look at: events and leases come and go by the second, nothing
// owns them, and they own nothing; pods and nodes are views, which go with what they show.
var ungarbaged = map[schema.GroupResource]struct{}{
	{Group: corev1.GroupName, Resource: "events"}:         {},
	{Group: eventsv1.GroupName, Resource: "events"}:       {},
	{Group: coordinationv1.GroupName, Resource: "leases"}: {},
	{Group: corev1.GroupName, Resource: "pods"}:           {},
	{Group: corev1.GroupName, Resource: "nodes"}:          {},
}

// stored leaves out the kinds that are views: who empties a namespace would stop its tasks again and again, one by one, and
// wait for what Swarm starts in their place.
func stored(discover func() ([]*metav1.APIResourceList, error)) func() ([]*metav1.APIResourceList, error) {
	return func() ([]*metav1.APIResourceList, error) {
		lists, err := discover()
		for i, list := range lists {
			if list.GroupVersion != corev1.SchemeGroupVersion.String() {
				continue
			}
			only := *list
			only.APIResources = slices.DeleteFunc(slices.Clone(list.APIResources), func(r metav1.APIResource) bool {
				kind, _, _ := strings.Cut(r.Name, "/")
				return kind == "pods" || kind == "nodes"
			})
			lists[i] = &only
		}

		return lists, err
	}
}

// inUse are kinds of which the API server itself, or another loop, keeps every object anyway.
var inUse = map[schema.GroupVersionResource]bool{
	corev1.SchemeGroupVersion.WithResource("namespaces"):          true,
	corev1.SchemeGroupVersion.WithResource("serviceaccounts"):     true,
	corev1.SchemeGroupVersion.WithResource("secrets"):             true,
	corev1.SchemeGroupVersion.WithResource("configmaps"):          true,
	corev1.SchemeGroupVersion.WithResource("resourcequotas"):      true,
	rbacv1.SchemeGroupVersion.WithResource("roles"):               true,
	rbacv1.SchemeGroupVersion.WithResource("rolebindings"):        true,
	rbacv1.SchemeGroupVersion.WithResource("clusterroles"):        true,
	rbacv1.SchemeGroupVersion.WithResource("clusterrolebindings"): true,
}

var containersResource = v1alpha1.GroupVersion.WithResource("tenantcontainers")

// kindInformers gives loops that handle every kind the informers that exist, and for all other kinds one that keeps
// metadata only, which is all that they look at.
type kindInformers struct {
	typed informers.SharedInformerFactory
	light metadatainformer.SharedInformerFactory
	// containers is followed elsewhere, and started there.
	containers informers.GenericInformer
}

// ForResource implements informerfactory.InformerFactory.
func (k kindInformers) ForResource(r schema.GroupVersionResource) (informers.GenericInformer, error) {
	if inUse[r] {
		return k.typed.ForResource(r)
	}
	if r == containersResource {
		return k.containers, nil
	}

	return k.light.ForResource(r), nil
}

// Start implements informerfactory.InformerFactory.
func (k kindInformers) Start(stop <-chan struct{}) {
	k.typed.Start(stop)
	k.light.Start(stop)
}

// lighten takes away what is the larger part of most objects' metadata, and which no loop here reads: they look at
// names, owners and finalizers.
func lighten(object any) (any, error) {
	if m, err := meta.Accessor(object); err == nil {
		m.SetManagedFields(nil)
		m.SetAnnotations(nil)
		m.SetLabels(nil)
	}

	return object, nil
}
