package billing

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
)

// Why a tenant has no prices. The Terms that come with them have all that does not depend on prices.
var (
	// ErrNotBilled: its plan names no price list.
	ErrNotBilled = errors.New("not billed")
	// ErrNotInEffect: the price list that its plan names is not in effect yet.
	ErrNotInEffect = errors.New("no price list is in effect")
	// ErrNoPriceList: the price list that its plan names is not there. It is an ErrNotInEffect, too.
	ErrNoPriceList = errors.New("there is no such price list")
)

// Desk finds the terms of tenants.
type Desk struct {
	reader client.Reader
}

// NewDesk makes a desk that reads from the cache of a manager, as a rule. What it reads it does not copy.
func NewDesk(r client.Reader) *Desk { return &Desk{reader: r} }

// Terms finds what holds for a tenant now. It fails with ErrNotBilled or ErrNotInEffect, with an error for which
// apierrors.IsNotFound holds when there is no such tenant or its plan is not there, or with one that says that they could
// not be read.
func (d *Desk) Terms(ctx context.Context, tenant string) (Terms, error) {
	return d.TermsAt(ctx, tenant, time.Now())
}

// TermsAt is Terms by the prices that are in effect at a time.
func (d *Desk) TermsAt(ctx context.Context, tenant string, at time.Time) (Terms, error) {
	var t Terms
	t.Tenant = &dogkerv1.Tenant{}
	if err := d.get(ctx, client.ObjectKey{Name: tenant}, t.Tenant); err != nil {
		return Terms{}, fmt.Errorf("read tenant %q: %w", tenant, err)
	}
	t.Plan = &dogkerv1.Plan{}
	plan := string(t.Tenant.Spec.PlanName)
	if err := d.get(ctx, client.ObjectKey{Name: plan}, t.Plan); err != nil {
		return Terms{Tenant: t.Tenant}, fmt.Errorf("read plan %q of tenant %q: %w", plan, tenant, err)
	}
	if err := d.account(ctx, &t); err != nil {
		return Terms{Tenant: t.Tenant, Plan: t.Plan}, err
	}
	t.Rules = RulesOf(t.Tenant, t.Plan, t.Account)
	if t.Plan.Spec.PriceListName == "" {
		return t, fmt.Errorf("tenant %q with plan %q: %w", tenant, plan, ErrNotBilled)
	}

	return t, d.prices(ctx, &t, at)
}

// Paying are the tenants whose plans name prices, in effect or not.
func (d *Desk) Paying(ctx context.Context) (map[string]bool, error) {
	var plans dogkerv1.PlanList
	if err := d.reader.List(ctx, &plans, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	priced := map[string]bool{}
	for i := range plans.Items {
		priced[plans.Items[i].Name] = plans.Items[i].Spec.PriceListName != ""
	}
	var tenants dogkerv1.TenantList
	if err := d.reader.List(ctx, &tenants, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list tenants: %w", err)
	}
	paying := map[string]bool{}
	for i := range tenants.Items {
		if t := &tenants.Items[i]; priced[string(t.Spec.PlanName)] {
			paying[t.Name] = true
		}
	}

	return paying, nil
}

// account reads the account, which need not be there.
func (d *Desk) account(ctx context.Context, t *Terms) error {
	account := &billingv1.BillingAccount{}
	err := d.get(ctx, client.ObjectKey{Namespace: t.Tenant.Name, Name: billingv1.AccountName}, account)
	switch {
	case err == nil:
		t.Account = account
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read billing account of tenant %q: %w", t.Tenant.Name, err)
	}

	return nil
}

// prices finds the price list in effect, and what is declared costs by it.
func (d *Desk) prices(ctx context.Context, t *Terms, at time.Time) error {
	name := string(t.Plan.Spec.PriceListName)
	lists, err := d.Lists(ctx)
	if err != nil {
		return err
	}
	list, ok := InEffect(lists, name, at)
	switch {
	case !ok && Named(lists, name) == nil:
		return fmt.Errorf("price list %q of plan %q: %w: %w", name, t.Plan.Name, ErrNoPriceList, ErrNotInEffect)
	case !ok:
		return fmt.Errorf("price list %q of plan %q: %w", name, t.Plan.Name, ErrNotInEffect)
	}
	prices, err := PricesOf(list)
	if err != nil {
		return err
	}
	demands, err := d.demands(ctx, t.Tenant)
	if err != nil {
		return err
	}
	rate, err := RateOf(prices, demands...)
	switch {
	case errors.Is(err, money.ErrOverflow):
		rate = math.MaxInt64 // Whoever declares more than can be counted must not get away without paying for what runs.
	case err != nil:
		return fmt.Errorf("work out the rate of tenant %q: %w", t.Tenant.Name, err)
	}
	t.PriceList, t.Prices, t.Rate = list, prices, rate

	return nil
}

// demands are those of all containers of a tenant; of none while a person has suspended it.
func (d *Desk) demands(ctx context.Context, tenant *dogkerv1.Tenant) ([]Demand, error) {
	if _, suspended := tenant.Annotations[dogkerv1.AnnotationSuspend]; suspended {
		return nil, nil
	}
	var list dogkerv1.TenantContainerList
	if err := d.reader.List(ctx, &list, client.InNamespace(tenant.Name), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list containers of tenant %q: %w", tenant.Name, err)
	}
	out := make([]Demand, len(list.Items))
	for i := range list.Items {
		out[i] = DemandOf(&list.Items[i])
	}

	return out, nil
}

// Lists reads all price lists.
func (d *Desk) Lists(ctx context.Context) ([]billingv1.PriceList, error) {
	var list billingv1.PriceListList
	if err := d.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list price lists: %w", err)
	}

	return list.Items, nil
}

func (d *Desk) get(ctx context.Context, key client.ObjectKey, into client.Object) error {
	return d.reader.Get(ctx, key, into, &client.GetOptions{UnsafeDisableDeepCopy: new(true)})
}
