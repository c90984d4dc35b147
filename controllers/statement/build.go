package statement

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

const (
	// maxWorkloads is how many containers a Statement names.
	maxWorkloads = 256
	// others is the name of the sum of the rest. No container is called that: a workload has its kind before it.
	others = "others"
)

// span is a month of one account: from when the month before ended, which may be another hour than the calendar's when the
// account has moved to another offset.
type span struct {
	name     string
	from, to int64
}

// build makes the Statement of a month of the items of a tenant, which must be all, in order, after those that amounted to
// the balance at the start. It also returns the price list of the last use in it, empty if there was none.
func build(tenant string, s span, start money.Micro, items iter.Seq2[book.Item, error]) (billingv1.StatementSpec, string, error) {
	t := &tally{span: s}
	sum, err := book.Summarize(tenant, start, t.watch(items), s.from, s.to)
	if err != nil {
		return billingv1.StatementSpec{}, "", err
	}

	return billingv1.StatementSpec{
		From: at(s.from), To: at(s.to), Currency: billingv1.CurrencyIDR,
		Opening: sum.Opening.String(), Closing: sum.Closing.String(),
		PaidIn: t.paidIn.String(), Given: t.given.String(), Adjusted: t.adjusted.String(), Used: t.used.String(),
		Waived: sum.Waived.String(),
		ByType: byName(sum.ByType), ByMeter: byName(sum.ByMeter), ByWorkload: byWorkload(sum.ByWorkload),
		FirstSequence: sum.FirstSeq, LastSequence: sum.LastSeq, LastHash: sum.LastHash,
	}, t.priceList, nil
}

// tally adds up what a month came to by where the money came from, and went: an entry that takes a payment back can take a
// gift back with it.
type tally struct {
	span

	paidIn, given, adjusted, used money.Micro
	priceList                     string
}

// watch hands the items on.
func (t *tally) watch(items iter.Seq2[book.Item, error]) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		for item, err := range items {
			if err == nil {
				t.add(item)
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

// add counts an entry that belongs to the month and moves money of the tenant. What is kept for nobody moves none.
func (t *tally) add(item book.Item) {
	e := item.Entry
	if when := e.Effective(); when < t.from || when >= t.to {
		return
	}
	if item.Record != nil {
		t.priceList = item.Record.PriceList
	}
	if e.Amount == 0 {
		return
	}
	for _, p := range e.Postings {
		switch p.Account {
		case book.AccountGateway:
			t.paidIn -= p.Amount
		case book.AccountPromoExpense:
			t.given -= p.Amount
		case book.AccountRevenue:
			t.used += p.Amount
		case book.AccountAdjustments, book.AccountBadDebt, book.AccountSuspense:
			t.adjusted -= p.Amount
		}
	}
}

func at(unix int64) metav1.Time { return metav1.NewTime(time.Unix(unix, 0).UTC()) }

func byName[K ~string](sums map[K]money.Micro) []billingv1.StatementSum {
	var out []billingv1.StatementSum
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		out = append(out, billingv1.StatementSum{Name: string(name), Amount: sums[name].String()})
	}

	return out
}

// byWorkload lists those that cost most first, and adds up the rest.
func byWorkload(sums map[string]money.Micro) []billingv1.StatementSum {
	names := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(-cmp.Compare(sums[a], sums[b]), cmp.Compare(a, b))
	})
	var out []billingv1.StatementSum
	var rest money.Micro
	for i, name := range names {
		if i >= maxWorkloads {
			rest += sums[name]
			continue
		}
		out = append(out, billingv1.StatementSum{Name: name, Amount: sums[name].String()})
	}
	if len(names) > maxWorkloads {
		out = append(out, billingv1.StatementSum{Name: others, Amount: rest.String()})
	}

	return out
}
