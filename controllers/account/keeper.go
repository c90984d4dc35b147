package account

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/slogctx"
)

// KeeperName of the control loop, in logs and metrics.
const KeeperName = "account-keeper"

// keeperRetry is when the keeper looks again at a tenant for which it could not make an account.
const keeperRetry = 2 * time.Second

// Keeper makes the account of every tenant whose plan names prices, as soon as the tenant has its namespace, and again when
// somebody has deleted it. It is a loop of its own because an account that is not there has none. It keeps nothing in memory.
type Keeper struct {
	cached client.Client
}

// NewKeeper returns the keeper. Reads through the client may be behind: an account that is there already is no error.
func NewKeeper(cached client.Client) *Keeper { return &Keeper{cached: cached} }

// Reconcile makes the account of the tenant that is asked for, if it is to have one and has none.
func (k *Keeper) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	lacking, err := k.lacking(ctx, req.Name)
	if err != nil || !lacking {
		return reconcile.Result{}, err
	}

	a := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: req.Name, Name: billingv1.AccountName,
		Labels: map[string]string{v1alpha1.LabelTenant: req.Name}, Finalizers: []string{billingv1.FinalizerAccount},
	}}
	// The API server fills in what the schema says; this is for stores that do not.
	a.Spec.UTCOffsetHours = defaultUTCOffsetHours

	slogctx.From(ctx).InfoContext(ctx, "Making BillingAccount", logkey.Tenant, req.Name)

	err = k.cached.Create(ctx, a, client.FieldOwner(fieldOwner))

	switch {
	case apierrors.IsAlreadyExists(err):
		return reconcile.Result{}, nil
	case apierrors.IsNotFound(err), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		// The namespace has gone meanwhile. When it is made again, that is told.
		return reconcile.Result{RequeueAfter: keeperRetry}, nil
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("make billing account of tenant %q: %w", req.Name, err)
	default:
		return reconcile.Result{}, nil
	}
}

// defaultUTCOffsetHours is where days begin for an account that does not say. The schema says the same.
const defaultUTCOffsetHours = 7

// lacking is true for a tenant that is to have an account and has none: it lives, its plan names prices, and its namespace
// is there.
func (k *Keeper) lacking(ctx context.Context, tenant string) (bool, error) {
	var (
		t  v1alpha1.Tenant
		p  v1alpha1.Plan
		ns corev1.Namespace
		a  billingv1.BillingAccount
	)

	if there, err := k.read(ctx, client.ObjectKey{Name: tenant}, &t); err != nil || !there || !t.DeletionTimestamp.IsZero() {
		return false, err
	}
	if there, err := k.read(ctx, client.ObjectKey{Name: string(t.Spec.PlanName)}, &p); err != nil || !there || p.Spec.PriceListName == "" {
		return false, err
	}
	// Whose a namespace is says its label: a Tenant may be refused one that was there before it.
	if there, err := k.read(ctx, client.ObjectKey{Name: tenant}, &ns); err != nil || !there ||
		!ns.DeletionTimestamp.IsZero() || ns.Labels[v1alpha1.LabelTenant] != tenant {
		return false, err
	}

	there, err := k.read(ctx, client.ObjectKey{Namespace: tenant, Name: billingv1.AccountName}, &a)

	return !there && err == nil, err
}

func (k *Keeper) read(ctx context.Context, key client.ObjectKey, into client.Object) (there bool, err error) {
	err = k.cached.Get(ctx, key, into, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %T %q: %w", into, key, err)
	}

	return true, nil
}
