package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/billing"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// Tariff is what a tenant pays, may owe, and is told.
type Tariff struct {
	// PriceList is the version of the prices. Without one nothing is billed, and the ledger only moves its cursor on.
	PriceList string
	// Prices of a unit of each meter. What has none is free, and leaves no line.
	Prices map[money.Meter]money.Micro
	// WaivesStorage makes volumes free, too, while the account does not run.
	WaivesStorage bool
	// Floor that a settlement may draw the paid money of a head down to; nil for zero.
	Floor func(book.Head) money.Micro
	// Settlement are the first and the last of the hours, counted like windows, that are settled together with one; nil when
	// each is settled by itself.
	Settlement func(hour int64) (first, last int64)
	// Decide what follows from a charge. Nil decides nothing.
	Decide book.Decide
}

// Pricing says what holds for a tenant in the hour of a window, which is the first of those that are charged. The prices must
// be the same every time it is asked about an hour in which something was charged already. An error leaves the tenant
// uncharged until it is gone.
type Pricing interface {
	Tariff(ctx context.Context, tenant string, window int64) (Tariff, error)
}

// maxTariffs is of how many tenants the tariff of the hour is remembered.
const maxTariffs = 10_000

// Tariffs finds the tariffs of tenants at a billing desk. Prices hold for whole hours: the first that something of an hour is
// charged by are those of the rest of it, whatever becomes of plans and price lists meanwhile. Rules hold at once.
type Tariffs struct {
	desk   *billing.Desk
	ledger *Ledger
	now    func() time.Time

	mu    sync.Mutex
	known map[string]knownTariff
}

// knownTariff is what was found last for a tenant.
type knownTariff struct {
	hour   int64
	list   *billingv1.PriceList
	tariff Tariff
}

var _ Pricing = (*Tariffs)(nil)

// NewTariffs finds tariffs at a desk, and in the ledger those by which an hour has been charged already.
func NewTariffs(desk *billing.Desk, l *Ledger, now func() time.Time) *Tariffs {
	return &Tariffs{desk: desk, ledger: l, now: now, known: map[string]knownTariff{}}
}

// Tariff implements Pricing. A tenant whose plan names no prices, or prices that are not in effect yet, uses what it uses
// for nothing. One that is gone, or whose plan is, pays what it paid last, and nothing follows from it: what it used before
// must not wait for ever.
func (t *Tariffs) Tariff(ctx context.Context, tenant string, window int64) (Tariff, error) {
	before := t.recall(tenant)
	terms, err := t.desk.TermsAt(ctx, tenant, t.now())
	switch {
	case err == nil, errors.Is(err, billing.ErrNotBilled), errors.Is(err, billing.ErrNotInEffect):
	case apierrors.IsNotFound(err):
		before.tariff.Decide = nil
		return before.tariff, nil
	default:
		return Tariff{}, err
	}

	next := knownTariff{hour: book.HourOf(window), list: before.list}
	if before.list == nil || before.hour != next.hour {
		if next.list, err = t.listOf(ctx, terms, window); err != nil {
			return Tariff{}, err
		}
	}
	if next.tariff, err = tariffOf(terms, next.list, t.now); err != nil {
		return Tariff{}, err
	}
	t.remember(tenant, next)

	return next.tariff, nil
}

// listOf is the price list by which the hour of a window is charged: the one it was charged by before, if it was, or else the
// one in effect before the window was over. That matters for lists that are in effect as soon as they are made, whose first
// minute would be free otherwise; all others begin on a whole hour, and so with a window. It is nil when there is none.
func (t *Tariffs) listOf(ctx context.Context, terms billing.Terms, window int64) (*billingv1.PriceList, error) {
	lists, err := t.desk.Lists(ctx)
	if err != nil {
		return nil, err
	}
	name, err := t.ledger.chargedBy(ctx, terms.Tenant.Name, book.HourOf(window))
	if err != nil {
		return nil, err
	}
	if list := billing.Named(lists, name); name != "" && list != nil {
		return list, nil
	}
	list, _ := billing.InEffect(lists, string(terms.Plan.Spec.PriceListName), time.Unix(book.WindowEnd(window)-1, 0))

	return list, nil
}

// tariffOf is what the terms of a tenant come to by a price list, which may be nil.
func tariffOf(terms billing.Terms, list *billingv1.PriceList, now func() time.Time) (Tariff, error) {
	out := Tariff{Floor: terms.Floor, Decide: terms.Decide(now), WaivesStorage: terms.WaivesStorage(), Settlement: terms.Settlement}
	if list == nil {
		return out, nil
	}
	var err error
	if out.Prices, err = billing.PricesOf(list); err != nil {
		return Tariff{}, err
	}
	out.PriceList = list.Name

	return out, nil
}

// chargedBy is the version of the prices by which use in an hour was charged, as far as it is in the last record; empty when it
// is not.
func (l *Ledger) chargedBy(ctx context.Context, tenant string, hour int64) (string, error) {
	at, ok := l.cache.get(tenant)
	if !ok {
		var err error
		w := &writer{Ledger: l, req: book.Request{Tenant: tenant, Op: book.Review{}}}
		if at, err = w.load(ctx); err != nil {
			return "", fmt.Errorf("read last use of %q: %w", tenant, err)
		}
	}
	record := at.state.Record
	if len(record.Lines) == 0 || book.HourOf(record.Through) != hour {
		return "", nil
	}

	return record.PriceList, nil
}

func (t *Tariffs) recall(tenant string) knownTariff {
	t.mu.Lock()
	defer t.mu.Unlock()

	return t.known[tenant]
}

func (t *Tariffs) remember(tenant string, known knownTariff) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.known[tenant]; !there && len(t.known) >= maxTariffs {
		for other := range t.known {
			delete(t.known, other)
			break
		}
	}
	t.known[tenant] = known
}
