package books

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
)

// defaultOffsetHours is that of an account that says nothing, or that is gone.
const defaultOffsetHours = 7

// Account is what an export says of an account beside its entries.
type Account struct {
	// Name is what people call the tenant; empty where it has no other name.
	Name string
	// UTCOffsetHours says where its months begin.
	UTCOffsetHours int32
	// Since is the Unix time at which the tenant was made, 0 when there is none. What its ledger says of before is about
	// somebody who had its name.
	Since int64
	// Exists is false for an account that is not there: the ledger of a tenant outlives it.
	Exists bool
}

// Accounts finds accounts.
type Accounts interface {
	// Account finds the one of a tenant. That it is not there is no error.
	Account(ctx context.Context, tenant string) (Account, error)
}

// api asks the API server.
type api struct {
	client dynamic.Interface
}

// NewAccounts finds accounts through the API.
func NewAccounts(client dynamic.Interface) Accounts { return api{client} }

// Account implements Accounts. The Tenant is asked for whether or not there is an account: one whose plan has no prices has
// none, and is a namesake all the same.
func (a api) Account(ctx context.Context, tenant string) (Account, error) {
	out := Account{UTCOffsetHours: defaultOffsetHours}
	t, err := a.client.Resource(dogkerv1.GroupVersion.WithResource("tenants")).Get(ctx, tenant, metav1.GetOptions{})
	switch {
	case err == nil:
		out.Name, _, _ = unstructured.NestedString(t.Object, "spec", "displayName")
		if made := t.GetCreationTimestamp(); !made.IsZero() {
			out.Since = made.Unix()
		}
	case !apierrors.IsNotFound(err):
		return Account{}, fmt.Errorf("read tenant %q: %w", tenant, err)
	}

	accounts := a.client.Resource(billingv1.GroupVersion.WithResource("billingaccounts")).Namespace(tenant)
	account, err := accounts.Get(ctx, billingv1.AccountName, metav1.GetOptions{})
	switch {
	case err == nil:
		out.Exists = true
		if hours, found, err := unstructured.NestedInt64(account.Object, "spec", "utcOffsetHours"); err == nil && found {
			out.UTCOffsetHours = int32(hours)
		}
	case !apierrors.IsNotFound(err):
		return Account{}, fmt.Errorf("read billing account of %q: %w", tenant, err)
	}

	return out, nil
}
