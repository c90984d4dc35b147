package billing

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/money"
)

// InEffect is the price list by which whoever is billed by the one with the name is charged at a time: that one, or the last
// of those that replaced one another and were in effect by then. It is not ok while none is.
//
// Whatever people write, there is one answer: of several that replace the same list the one that was made first does, and
// the others replace nothing; a chain that comes back to a list it has passed ends there.
func InEffect(lists []billingv1.PriceList, name string, at time.Time) (list *billingv1.PriceList, ok bool) {
	passed := map[string]bool{}
	for next := Named(lists, name); next != nil && !passed[next.Name] && !Effective(next).After(at); next = Successor(lists, next.Name) {
		passed[next.Name] = true
		list = next
	}

	return list, list != nil
}

// Effective is when a price list comes into effect, if nothing keeps it from that: when it was made, unless it says when.
func Effective(l *billingv1.PriceList) time.Time {
	if l.Spec.EffectiveFrom != nil {
		return l.Spec.EffectiveFrom.Time
	}

	return l.CreationTimestamp.Time
}

// Successor is the price list that replaces the one with the name, now or later, or nil.
func Successor(lists []billingv1.PriceList, name string) *billingv1.PriceList {
	var first *billingv1.PriceList
	for i := range lists {
		if l := &lists[i]; string(l.Spec.Replaces) == name && l.Name != name && (first == nil || older(l, first) < 0) {
			first = l
		}
	}

	return first
}

func older(a, b *billingv1.PriceList) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

// Named is the price list with the name, or nil.
func Named(lists []billingv1.PriceList, name string) *billingv1.PriceList {
	for i := range lists {
		if lists[i].Name == name {
			return &lists[i]
		}
	}

	return nil
}

// PricesOf reads the prices of a list. A meter without a price is not among them: it is free.
func PricesOf(l *billingv1.PriceList) (map[money.Meter]money.Micro, error) {
	p := l.Spec.Prices
	texts := map[money.Meter]billingv1.Amount{
		money.CPU: p.CPU, money.Memory: p.Memory, money.Storage: p.Storage, money.Replica: p.Replica, money.Egress: p.Egress,
	}
	out := map[money.Meter]money.Micro{}
	for _, meter := range money.Meters() {
		if texts[meter] == "" {
			continue
		}
		price, err := money.Parse(string(texts[meter]))
		if err == nil && price < 0 {
			err = errors.New("must not be below zero")
		}
		if err != nil {
			return nil, fmt.Errorf("price list %q: spec.prices.%s: invalid value: %q: %w", l.Name, meter, texts[meter], err)
		}
		out[meter] = price
	}

	return out, nil
}
