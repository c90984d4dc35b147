package account

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/keeper"
)

// KeeperName of the control loop, in logs and metrics.
const KeeperName = "account-keeper"

// Keeper makes the account of every tenant whose plan names prices, as soon as the tenant has its namespace, and again when
// somebody has deleted it. It is a loop of its own because an account that is not there has none.
type Keeper struct{ *keeper.Keeper }

// NewKeeper returns the keeper. Reads through the client may be behind: an account that is there already is no error.
func NewKeeper(cached client.Client) *Keeper {
	return &Keeper{keeper.New(cached, keeper.Kind{What: "BillingAccount", FieldOwner: fieldOwner, Make: newAccount, For: billed})}
}

// defaultUTCOffsetHours is where days begin for an account that does not say. The schema says the same.
const defaultUTCOffsetHours = 7

func newAccount(tenant string) client.Object {
	a := &billingv1.BillingAccount{ObjectMeta: metav1.ObjectMeta{
		Namespace: tenant, Name: billingv1.AccountName,
		Labels: map[string]string{v1alpha1.LabelTenant: tenant}, Finalizers: []string{billingv1.FinalizerAccount},
	}}
	// The API server fills in what the schema says; this is for stores that do not.
	a.Spec.UTCOffsetHours = defaultUTCOffsetHours

	return a
}

// billed is true for a tenant whose plan names prices.
func billed(ctx context.Context, r keeper.Reader, t *v1alpha1.Tenant) (bool, error) {
	var p v1alpha1.Plan
	there, err := r.Read(ctx, client.ObjectKey{Name: string(t.Spec.PlanName)}, &p)

	return there && p.Spec.PriceListName != "", err
}
