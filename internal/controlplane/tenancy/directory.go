package tenancy

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/policy"
)

// resync is how often everything is looked at anew, should a change have been missed.
const resync = 10 * time.Minute

var (
	tenantsResource = v1alpha1.GroupVersion.WithResource("tenants")
	plansResource   = v1alpha1.GroupVersion.WithResource("plans")
	// ContainersResource is that of TenantContainers.
	ContainersResource = v1alpha1.GroupVersion.WithResource("tenantcontainers")

	accountsResource   = billingv1.GroupVersion.WithResource("billingaccounts")
	priceListsResource = billingv1.GroupVersion.WithResource("pricelists")
	couponsResource    = billingv1.GroupVersion.WithResource("coupons")
)

// Directory knows tenants, their plans, what those cost, and of containers what quotas, ports and prices are about.
type Directory struct {
	*Ports

	client     dynamic.Interface
	kube       kubernetes.Interface
	namespaces corelisters.NamespaceLister
	tenants    cache.SharedIndexInformer
	plans      cache.SharedIndexInformer
	containers cache.SharedIndexInformer
	accounts   cache.SharedIndexInformer
	priceLists cache.SharedIndexInformer
	coupons    cache.SharedIndexInformer
}

// NewDirectory makes a directory; until Run it asks the store for everything.
func NewDirectory(client dynamic.Interface, kube kubernetes.Interface, shared informers.SharedInformerFactory) (*Directory, error) {
	d := &Directory{client: client, kube: kube, namespaces: shared.Core().V1().Namespaces().Lister()}

	for _, follow := range []struct {
		what      string
		resource  schema.GroupVersionResource
		transform cache.TransformFunc
		indexers  cache.Indexers
		into      *cache.SharedIndexInformer
	}{
		{"tenants", tenantsResource, transformTo[v1alpha1.Tenant], cache.Indexers{}, &d.tenants},
		{"plans", plansResource, transformTo[v1alpha1.Plan], cache.Indexers{}, &d.plans},
		{"containers", ContainersResource, lightContainer, cache.Indexers{byPort: portsOf, cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}, &d.containers},
		{"billing accounts", accountsResource, transformTo[billingv1.BillingAccount], cache.Indexers{}, &d.accounts},
		{"price lists", priceListsResource, transformTo[billingv1.PriceList], cache.Indexers{}, &d.priceLists},
		{"coupons", couponsResource, transformTo[billingv1.Coupon], cache.Indexers{}, &d.coupons},
	} {
		informer := dynamicinformer.NewFilteredDynamicInformer(client, follow.resource, metav1.NamespaceAll, resync, follow.indexers, nil).Informer()
		if err := informer.SetTransform(follow.transform); err != nil {
			return nil, fmt.Errorf("follow %s: %w", follow.what, err)
		}
		*follow.into = informer
	}

	d.Ports = newPorts(d)
	if _, err := d.containers.AddEventHandler(d.releases()); err != nil {
		return nil, fmt.Errorf("follow published ports: %w", err)
	}

	return d, nil
}

// Run follows the objects until the context ends.
func (d *Directory) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, informer := range []cache.SharedIndexInformer{d.tenants, d.plans, d.containers, d.accounts, d.priceLists, d.coupons} {
		wg.Go(func() { informer.Run(ctx.Done()) })
	}
	wg.Wait()

	return nil
}

// Containers is the informer of TenantContainers for others that follow them. Of each it has metadata and what quotas
// and ports are about.
func (d *Directory) Containers() informers.GenericInformer {
	return generic{informer: d.containers, resource: ContainersResource.GroupResource()}
}

type generic struct {
	informer cache.SharedIndexInformer
	resource schema.GroupResource
}

func (g generic) Informer() cache.SharedIndexInformer { return g.informer }
func (g generic) Lister() cache.GenericLister {
	return cache.NewGenericLister(g.informer.GetIndexer(), g.resource)
}

// Policy is what is in force in a namespace; false when it belongs to no tenant. Its error is a refusal: what cannot be
// judged is not let in.
func (d *Directory) Policy(ctx context.Context, namespace string) (policy.Policy, bool, error) {
	name, err := d.Tenant(ctx, namespace)
	if err != nil || name == "" {
		return policy.Policy{}, false, err
	}

	t, err := get[v1alpha1.Tenant](ctx, d, d.tenants, tenantsResource, "", name)
	if apierrors.IsNotFound(err) {
		return policy.Policy{}, false, fmt.Errorf("namespace %q has the label %s=%s, and there is no Tenant %q", namespace, v1alpha1.LabelTenant, name, name)
	}
	if err != nil {
		return policy.Policy{}, false, fmt.Errorf("read Tenant %q: %w", name, err)
	}

	plan, err := get[v1alpha1.Plan](ctx, d, d.plans, plansResource, "", string(t.Spec.PlanName))
	if apierrors.IsNotFound(err) {
		return policy.Policy{}, false, fmt.Errorf("tenant %q has spec.planName %q, and there is no Plan %q: without one nothing is allowed", name, t.Spec.PlanName, t.Spec.PlanName)
	}
	if err != nil {
		return policy.Policy{}, false, fmt.Errorf("read Plan %q: %w", t.Spec.PlanName, err)
	}

	return policy.Of(t, plan), true, nil
}

// Tenant names the tenant that a namespace belongs to, empty when it belongs to none: the one that its label names, or the
// one of its own name that has it, should somebody have torn the label off.
func (d *Directory) Tenant(ctx context.Context, namespace string) (string, error) {
	ns, err := d.namespace(ctx, namespace)
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read namespace %q: %w", namespace, err)
	}
	if name := ns.Labels[v1alpha1.LabelTenant]; name != "" {
		return name, nil
	}

	if object, ok, _ := d.tenants.GetStore().GetByKey(namespace); ok {
		if t, ok := object.(*v1alpha1.Tenant); ok && t.Status.Namespace == namespace {
			return namespace, nil
		}
	}

	return "", nil
}

func (d *Directory) namespace(ctx context.Context, name string) (*corev1.Namespace, error) {
	ns, err := d.namespaces.Get(name)
	if apierrors.IsNotFound(err) {
		return d.kube.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	}

	return ns, err
}

// get takes an object out of the cache, and asks the store for one that is not there.
func get[T any](ctx context.Context, d *Directory, informer cache.SharedIndexInformer, resource schema.GroupVersionResource, namespace, name string) (*T, error) {
	if object, ok, _ := informer.GetStore().GetByKey(cache.NewObjectName(namespace, name).String()); ok {
		if typed, ok := object.(*T); ok {
			return typed, nil
		}
	}

	u, err := d.client.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	out := new(T)

	return out, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out)
}

// transformTo keeps objects in memory as what they are, without what is the larger part of many.
func transformTo[T any](object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok {
		return object, nil
	}
	u.SetManagedFields(nil)
	u.SetAnnotations(orders(u.GetAnnotations()))
	out := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out); err != nil {
		return nil, fmt.Errorf("read %s %q: %w", u.GetKind(), u.GetName(), err)
	}

	return out, nil
}

// orders are the annotations that decide how much of something runs, and so what it takes and costs: somebody has stopped it,
// or it scales.
func orders(all map[string]string) map[string]string {
	var out map[string]string
	for _, key := range []string{v1alpha1.AnnotationSuspend, v1alpha1.AnnotationReplicas} {
		if value, ok := all[key]; ok {
			if out == nil {
				out = map[string]string{}
			}
			out[key] = value
		}
	}

	return out
}

// bounds are what decides between which numbers a container scales, without what is measured.
func bounds(a *v1alpha1.Autoscaling) *v1alpha1.Autoscaling {
	if a == nil {
		return nil
	}

	return &v1alpha1.Autoscaling{MinReplicas: a.MinReplicas, MaxReplicas: a.MaxReplicas}
}

// lightContainer keeps of a container its identity, its owners, what quotas, ports and prices are about, and what pods show.
func lightContainer(object any) (any, error) {
	full, err := transformTo[v1alpha1.TenantContainer](object)
	if err != nil {
		return nil, err
	}
	c, ok := full.(*v1alpha1.TenantContainer)
	if !ok {
		return object, nil
	}

	m, s := c.ObjectMeta, c.Spec

	return &v1alpha1.TenantContainer{
		TypeMeta: c.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{
			Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
			CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
			OwnerReferences: m.OwnerReferences, Finalizers: m.Finalizers, Annotations: m.Annotations,
		},
		Spec: v1alpha1.TenantContainerSpec{
			Mode: s.Mode, Replicas: s.Replicas, Resources: s.Resources, Ports: s.Ports, RollbackTo: s.RollbackTo,
			Env: s.Env, EnvFrom: s.EnvFrom, Labels: s.Labels, Autoscaling: bounds(s.Autoscaling),
		},
		Status: v1alpha1.TenantContainerStatus{Replicas: c.Status.Replicas, Tasks: c.Status.Tasks, Revision: c.Status.Revision},
	}, nil
}
