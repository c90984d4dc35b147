package billing

import (
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	dogkerv1 "github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
	"github.com/dogker/dogker/reconciler/solvency"
)

// Terms are what holds for a tenant now. The objects in them are shared with a cache: nobody may change them.
type Terms struct {
	// Tenant and Plan are there always, but for errors that say that they are not.
	Tenant *dogkerv1.Tenant
	Plan   *dogkerv1.Plan
	// PriceList is the one in effect; nil when the tenant is not billed.
	PriceList *billingv1.PriceList
	// Account is nil before it is made; the defaults of its fields count then.
	Account *billingv1.BillingAccount
	// Prices of a unit of each meter, as PriceList has them.
	Prices map[money.Meter]money.Micro
	// Rate is what an hour of all containers costs that are declared, rounded up. What a person has suspended costs
	// nothing; what billing has suspended is to run again, and counts.
	Rate money.Micro
	// Rules are what plan and account say.
	Rules solvency.Rules
}

// Billed tells whether there are prices that are charged.
func (t Terms) Billed() bool { return t.PriceList != nil }

// Standing is how an account stands: what is shown of it, and what admission asks about.
type Standing struct {
	// State is what was decided last; its Phase is Active before anything was.
	solvency.State

	// Facts are what is so now. Their Rate has the price of volumes in it, as far as it has been measured.
	Facts solvency.Facts
	// Runway is for how long the money lasts; Finite is false when nothing is spent.
	Runway time.Duration
	Finite bool
	// Missing is how much has to be paid before an account that does not run may run again; 0 while it runs.
	Missing money.Micro
	// Spent in the month, with what has accrued.
	Spent money.Micro
	// Month of the account, such as 2026-11.
	Month string
	// Chargeback is true from a chargeback until the account's spec.hold is seen: it is stopped already, and whoever keeps
	// accounts must set spec.hold, so that a person can lift it by taking it away.
	Chargeback bool
}

// Standing says how an account stands, given the head of its ledger. It fails on a state that it does not understand.
func (t Terms) Standing(h book.Head, now time.Time) (Standing, error) {
	s, err := decodeState(h.State)
	if err != nil {
		return Standing{}, err
	}
	facts := s.facts(t, h, now)
	out := Standing{State: s.State, Facts: facts, Spent: facts.Spent, Month: facts.Month, Chargeback: s.Chargeback}
	if out.Phase == "" {
		out.Phase = solvency.Active
	}
	out.Runway, out.Finite = solvency.Runway(facts)
	if !out.Phase.Runs() {
		out.Missing = solvency.Missing(t.Rules, facts)
	}

	return out, nil
}

// storageDebtDays is for how many days of the price of its volumes an account that does not run may go into debt.
const storageDebtDays = 7

// Floor is how far a settlement may take the paid money of an account down: by its overdraft, and by seven days of the price
// of its volumes, which are kept while it does not run.
func (t Terms) Floor(h book.Head) money.Micro {
	s, err := decodeState(h.State)
	if err != nil {
		s = state{}
	}

	return s.floor(t, h)
}

// floor is Floor by the state before anything is decided.
func (s state) floor(t Terms, h book.Head) money.Micro {
	limit := s.GraceLimit
	if s.Phase != solvency.Grace {
		charged := time.Unix(book.WindowEnd(h.ChargedThrough), 0)
		limit = solvency.GraceLimit(t.Rules, s.facts(t, h, charged))
	}
	if !t.WaivesStorage() {
		limit = saturated(limit, solvency.Cost(s.Storage, storageDebtDays*24*time.Hour))
	}

	return -limit
}

// saturated adds amounts that are not below zero; the largest there is stands for more.
func saturated(a, b money.Micro) money.Micro {
	sum, err := a.Add(b)
	if err != nil {
		return 1<<63 - 1
	}

	return sum
}

// WaivesStorage tells whether volumes cost nothing while the account does not run.
func (t Terms) WaivesStorage() bool {
	return t.billing().SuspendedStorage == dogkerv1.SuspendedStorageWaive
}

// SettlementHours is how often use is settled.
func (t Terms) SettlementHours() int64 { return max(int64(t.billing().SettlementHours), 1) }

// Settlement are the first and the last of the hours, counted like windows, that are settled together with an hour. They begin
// with the day of the account, so that no settlement is about two months of it.
func (t Terms) Settlement(hour int64) (first, last int64) {
	every := t.SettlementHours()
	first = hour - (hour+int64(OffsetHours(t.Account)))%every

	return first, first + every - 1
}

// billing are the plan's rules, none of which need be set.
func (t Terms) billing() dogkerv1.BillingRules {
	if t.Plan == nil || t.Plan.Spec.Billing == nil {
		return dogkerv1.BillingRules{}
	}

	return *t.Plan.Spec.Billing
}
