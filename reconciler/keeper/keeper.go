// Package keeper makes the one object of a kind that tenants are to have in their namespaces: a BillingAccount, the Alert that
// says that containers are down. It makes it as soon as the tenant has its namespace, and again when somebody has deleted it;
// what anybody makes of it stays as it is.
//
// It keeps nothing in memory, and what it reads may be behind: an object that is there already is no error.
//
// Callers: controllers. It may import api.
package keeper

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// retry is when a tenant is looked at again for which nothing could be made.
const retry = 2 * time.Second

// Kind says what tenants are to have.
type Kind struct {
	// What it is called, in errors and logs, such as BillingAccount.
	What string
	// FieldOwner of what is made.
	FieldOwner string
	// Make returns the object of a tenant's namespace, with its name in it.
	Make func(tenant string) client.Object
	// For is whether a tenant is to have one; all are when nil.
	For func(ctx context.Context, r Reader, t *v1alpha1.Tenant) (bool, error)
}

// Keeper is a control loop over Tenants.
type Keeper struct {
	Reader

	kind   Kind
	cached client.Client
}

// New returns a keeper.
func New(cached client.Client, k Kind) *Keeper {
	return &Keeper{Reader: Reader{cached}, kind: k, cached: cached}
}

// Reconcile makes the object of the tenant that is asked for, if it is to have one and has none.
func (k *Keeper) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	object := k.kind.Make(req.Name)
	lacking, err := k.lacking(ctx, req.Name, object)
	if err != nil || !lacking {
		return reconcile.Result{}, err
	}

	slogctx.From(ctx).InfoContext(ctx, "Making "+k.kind.What, logkey.Tenant, req.Name)

	err = k.cached.Create(ctx, object, client.FieldOwner(k.kind.FieldOwner))

	switch {
	case apierrors.IsAlreadyExists(err):
		return reconcile.Result{}, nil
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		// The namespace has gone meanwhile. When it is made again, that is told.
		return reconcile.Result{RequeueAfter: retry}, nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("make %s of tenant %q: %w", k.kind.What, req.Name, err)
	default:
		return reconcile.Result{}, nil
	}
}

// lacking is true for a tenant that lives, is to have the object, has its namespace, and has no such object.
func (k *Keeper) lacking(ctx context.Context, tenant string, object client.Object) (bool, error) {
	var (
		t  v1alpha1.Tenant
		ns corev1.Namespace
	)

	if there, err := k.Read(ctx, client.ObjectKey{Name: tenant}, &t); err != nil || !there || !t.DeletionTimestamp.IsZero() {
		return false, err
	}
	if k.kind.For != nil {
		if wanted, err := k.kind.For(ctx, k.Reader, &t); err != nil || !wanted {
			return false, err
		}
	}
	// Whose a namespace is says its label: a Tenant may be refused one that was there before it.
	if there, err := k.Read(ctx, client.ObjectKey{Name: tenant}, &ns); err != nil || !there ||
		!ns.DeletionTimestamp.IsZero() || ns.Labels[v1alpha1.LabelTenant] != tenant {
		return false, err
	}

	existing, ok := object.DeepCopyObject().(client.Object)
	if !ok {
		return false, fmt.Errorf("%T is no object of the API", object)
	}
	there, err := k.Read(ctx, client.ObjectKeyFromObject(object), existing)

	return !there && err == nil, err
}

// Reader reads objects that may not be there.
type Reader struct{ cached client.Reader }

// Read is false when there is no such object. What it reads belongs to the cache and must not be changed.
func (r Reader) Read(ctx context.Context, key client.ObjectKey, into client.Object) (there bool, err error) {
	err = r.cached.Get(ctx, key, into, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %T %q: %w", into, key, err)
	}

	return true, nil
}
