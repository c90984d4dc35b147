package tenancy

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Reader reads what prices, balances and coupons are worked out from, out of memory. It knows those kinds alone, of a list
// it looks at the namespace only, and what it returns must not be changed.
func (d *Directory) Reader() client.Reader { return reader{d} }

type reader struct{ d *Directory }

// Get implements client.Reader.
func (r reader) Get(ctx context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch into := into.(type) {
	case *v1alpha1.Tenant:
		return fetch(ctx, r.d, r.d.tenants, tenantsResource, key, into)
	case *v1alpha1.Plan:
		return fetch(ctx, r.d, r.d.plans, plansResource, key, into)
	case *v1alpha1.TenantContainer:
		return fetch(ctx, r.d, r.d.containers, ContainersResource, key, into)
	case *billingv1.BillingAccount:
		// Most tenants of plans without prices have none. One that was made a moment ago says nothing yet.
		if _, ok, _ := r.d.accounts.GetStore().GetByKey(key.String()); !ok && r.d.accounts.HasSynced() {
			return apierrors.NewNotFound(accountsResource.GroupResource(), key.Name)
		}
		return fetch(ctx, r.d, r.d.accounts, accountsResource, key, into)
	default:
		return fmt.Errorf("read %T %q: the directory of tenants does not follow it", into, key)
	}
}

func fetch[T any](ctx context.Context, d *Directory, informer cache.SharedIndexInformer, resource schema.GroupVersionResource, key client.ObjectKey, into *T) error {
	found, err := get[T](ctx, d, informer, resource, key.Namespace, key.Name)
	if err != nil {
		return err
	}
	*into = *found

	return nil
}

// List implements client.Reader.
func (r reader) List(ctx context.Context, into client.ObjectList, options ...client.ListOption) error {
	var o client.ListOptions
	o.ApplyOptions(options)
	var err error
	switch into := into.(type) {
	case *v1alpha1.TenantContainerList:
		into.Items, err = all[v1alpha1.TenantContainer](ctx, r.d, r.d.containers, ContainersResource, o.Namespace)
	case *billingv1.PriceListList:
		into.Items, err = all[billingv1.PriceList](ctx, r.d, r.d.priceLists, priceListsResource, "")
	case *billingv1.CouponList:
		into.Items, err = all[billingv1.Coupon](ctx, r.d, r.d.coupons, couponsResource, "")
	default:
		err = fmt.Errorf("list %T: the directory of tenants does not follow it", into)
	}

	return err
}

// all are the objects of a kind, in a namespace if there is one. As long as not all of them are in memory, the store is
// asked.
func all[T any](ctx context.Context, d *Directory, informer cache.SharedIndexInformer, resource schema.GroupVersionResource, namespace string) ([]T, error) {
	if !informer.HasSynced() {
		return ask[T](ctx, d, resource, namespace)
	}
	found := informer.GetStore().List
	if namespace != "" {
		found = func() []any {
			in, err := informer.GetIndexer().ByIndex(cache.NamespaceIndex, namespace)
			if err != nil {
				panic(fmt.Sprintf("%s are not indexed by namespace: %v", resource.Resource, err))
			}
			return in
		}
	}

	objects := found()
	out := make([]T, 0, len(objects))
	for _, object := range objects {
		if typed, ok := object.(*T); ok {
			out = append(out, *typed)
		}
	}

	return out, nil
}

func ask[T any](ctx context.Context, d *Directory, resource schema.GroupVersionResource, namespace string) ([]T, error) {
	list, err := d.client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make([]T, len(list.Items))
	for i := range list.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(list.Items[i].Object, &out[i]); err != nil {
			return nil, fmt.Errorf("read %s %q: %w", resource.Resource, list.Items[i].GetName(), err)
		}
	}

	return out, nil
}
