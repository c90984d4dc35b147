package billing

import (
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/book"
)

// Decide is what follows from whatever happens to the money of the tenant: it belongs into every book.Request about it. It
// decides the phase, whether the account stops or runs again, and what its owner is told.
//
// For a tenant that is not billed it takes back what was decided, and only tells of payments. While no prices are in effect
// that are meant to be, and for a state that is not understood, all stays as it was.
func (t Terms) Decide(now func() time.Time) book.Decide {
	return func(before book.Head, after book.Outcome) book.Decision {
		return t.decide(before, after, now().UTC().Truncate(time.Second))
	}
}

func (t Terms) decide(before book.Head, after book.Outcome, now time.Time) book.Decision {
	h := after.State.Head
	unchanged := book.Decision{Phase: h.Phase, State: h.State, Stopped: h.Stopped, Notices: payments(h, after.Entries, now)}
	s, err := decodeState(h.State)
	switch {
	case t.Plan != nil && t.Plan.Spec.PriceListName == "":
		return book.Decision{Notices: unchanged.Notices}
	case err != nil || !t.Billed():
		return unchanged
	}

	floor := s.floor(t, h)
	s.count(t, before, after, now)
	rules := t.Rules
	s.Chargeback = chargedBack(after.Entries) || s.Chargeback && !rules.Hold
	rules.Hold = rules.Hold || s.Chargeback
	facts := s.facts(t, h, now)
	next, said := s.State.Next(rules, facts)
	s.State = next

	return book.Decision{
		Phase: string(s.Phase), State: s.encode(), Stopped: !s.Phase.Runs(), Floor: floor,
		Notices: append(unchanged.Notices, tellings(s, rules, facts, said)...),
	}
}

// chargedBack tells whether a payer's bank took money back. Then the account stops until a person has looked at it.
func chargedBack(entries []book.Entry) bool {
	return slices.ContainsFunc(entries, func(e book.Entry) bool { return e.Type == book.TypeChargeback })
}
