package book

import (
	"fmt"
	"iter"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// Item is an entry and, if it is a Usage, what it is made of.
type Item struct {
	Entry  Entry
	Record *Record
}

// Effective is the Unix time to which an entry belongs: use to when it was had, not to when it was charged, and what expires
// to when it could be used last.
func (e Entry) Effective() int64 {
	if e.Through > 0 {
		return WindowEnd(e.Through) - 1
	}

	return e.Time
}

// Period is the one that a Usage entry settles.
func (e Entry) Period() (Period, error) {
	var p Period
	_, err := fmt.Sscanf(e.Key, "usage:%d:%d", &p.Hour, &p.Part)
	if err != nil || e.Key != "usage:"+p.String() {
		return Period{}, fmt.Errorf("entry %d: %q names no period: %w", e.Seq, e.Key, ErrBroken)
	}

	return p, nil
}

// Statement sums up what belongs to a span of time. One statement closes with what the next one opens with.
type Statement struct {
	Tenant string
	// From and To are Unix times; To is not included.
	From, To         int64
	Opening, Closing money.Micro
	// ByType sums the amounts of entries.
	ByType map[Type]money.Micro
	// ByMeter and ByWorkload sum what use came to. Waived is what of that was not charged.
	ByMeter    map[money.Meter]money.Micro
	ByWorkload map[string]money.Micro
	Waived     money.Micro
	// FirstSeq and LastSeq are the lowest and highest numbers of its entries, and LastHash the hash of the latter.
	FirstSeq, LastSeq int64
	LastHash          string
}

// Summarize makes a statement of the items of a tenant. They must be all, in order, after those that amounted to the
// balance at the start.
func Summarize(tenant string, start money.Micro, items iter.Seq2[Item, error], from, to int64) (Statement, error) {
	s := Statement{
		Tenant: tenant, From: from, To: to, Opening: start,
		ByType: map[Type]money.Micro{}, ByMeter: map[money.Meter]money.Micro{}, ByWorkload: map[string]money.Micro{},
	}
	for item, err := range items {
		if err != nil {
			return Statement{}, err
		}
		switch at := item.Entry.Effective(); {
		case at < from:
			s.Opening += item.Entry.Amount
		case at < to:
			s.add(item)
		}
	}
	s.Closing = s.Opening
	for _, amount := range s.ByType {
		s.Closing += amount
	}

	return s, nil
}

func (s *Statement) add(item Item) {
	e := item.Entry
	s.ByType[e.Type] += e.Amount
	if s.FirstSeq == 0 {
		s.FirstSeq = e.Seq
	}
	s.LastSeq, s.LastHash = e.Seq, e.Hash
	if e.Type == TypeWaiver {
		s.Waived += e.Waived
	}
	if item.Record == nil {
		return
	}
	for _, l := range item.Record.Lines {
		s.ByMeter[l.Meter] += l.Charge
		s.ByWorkload[l.Workload] += l.Charge
	}
}

// Draws are what a Usage entry took from each lot, and from paid money under the empty ID, as amounts above zero.
func (e Entry) Draws() map[string]money.Micro {
	out := map[string]money.Micro{}
	for _, p := range e.Postings {
		if lot, ok := strings.CutPrefix(p.Account, AccountPromo); ok {
			out[lot] -= p.Amount
		}
		if p.Account == AccountPaid {
			out[""] -= p.Amount
		}
	}

	return out
}
