package billing

import (
	"cmp"
	"slices"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// What counts where plan and account say nothing. The schemas say the same.
const (
	defaultGracePeriod    = time.Hour
	defaultMinRunway      = time.Hour
	defaultUTCOffsetHours = 7
)

func defaultWarnings() []time.Duration {
	return []time.Duration{72 * time.Hour, 24 * time.Hour, 6 * time.Hour, time.Hour}
}

// RulesOf are what plan and account say, of which the account may not be there. What cannot be read, because it came into
// the store before the schema was what it is, counts as not said: it must not keep anybody from being charged.
func RulesOf(tenant *dogkerv1.Tenant, plan *dogkerv1.Plan, account *billingv1.BillingAccount) solvency.Rules {
	r := solvency.Rules{
		Warnings: defaultWarnings(), GracePeriod: defaultGracePeriod, MinRunway: defaultMinRunway,
		Close: tenant.DeletionTimestamp != nil,
	}
	if b := plan.Spec.Billing; b != nil {
		r.Overdraft = overdraft(b.Overdraft)
		if b.GracePeriodSeconds != nil {
			r.GracePeriod = time.Duration(max(*b.GracePeriodSeconds, 0)) * time.Second
		}
		if b.MinRunwaySeconds > 0 {
			r.MinRunway = time.Duration(b.MinRunwaySeconds) * time.Second
		}
	}
	if account != nil {
		applyAccount(&r, account.Spec)
	}

	return r
}

func applyAccount(r *solvency.Rules, spec billingv1.BillingAccountSpec) {
	var runways []time.Duration
	for _, text := range spec.Warnings.Runways {
		if d, err := time.ParseDuration(string(text)); err == nil && d > 0 {
			runways = append(runways, d)
		}
	}
	if len(runways) > 0 {
		slices.SortFunc(runways, func(a, b time.Duration) int { return cmp.Compare(b, a) })
		r.Warnings = slices.Compact(runways)
	}
	r.Floor = whole(string(spec.Warnings.Balance))
	if b := spec.Budget; b != nil {
		r.MonthlyCap, r.CapSuspends = whole(string(b.MonthlyCap)), b.Action == billingv1.BudgetSuspend
	}
	r.Hold = spec.Hold != nil
}

// overdraft is that of a plan. To solvency none means what the grace period costs, so a plan that allows no debt at all
// allows the smallest there is.
func overdraft(text dogkerv1.Rupiah) money.Micro {
	if text == "0" {
		return 1
	}

	return whole(string(text))
}

// whole reads whole rupiah above zero; 0 stands for all else.
func whole(text string) money.Micro {
	m, err := money.ParseWhole(text)
	if err != nil {
		return 0
	}

	return m
}

// OffsetHours says where the days and months of an account begin, in hours east of UTC; the account may be nil.
func OffsetHours(account *billingv1.BillingAccount) int32 {
	if account == nil {
		return defaultUTCOffsetHours
	}

	return account.Spec.UTCOffsetHours
}

// Month names the month of an account in which a time lies, such as 2026-11.
func Month(account *billingv1.BillingAccount, at time.Time) string {
	return book.MonthAt(at.Unix(), OffsetHours(account)).String()
}
