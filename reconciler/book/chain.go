package book

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// seal makes the next entry of a chain: it carries the postings out and fills in what follows from the head.
func (h *Head) seal(e Entry) (Entry, error) {
	if err := h.post(e); err != nil {
		return Entry{}, err
	}
	var amount money.Micro
	for _, p := range e.Postings {
		if !strings.HasPrefix(p.Account, "tenant:") {
			continue
		}
		var err error
		if amount, err = amount.Add(p.Amount); err != nil {
			return Entry{}, err
		}
	}

	e.Version, e.Tenant, e.Seq, e.Prev = hashVersion, h.Tenant, h.Seq+1, h.Hash
	e.Amount, e.BalanceAfter = amount, h.Balance()
	e.Hash = e.digest(e.body())
	h.Seq, h.Hash = e.Seq, e.Hash
	h.advance(e)

	return e, nil
}

// advance moves what else follows from an entry.
func (h *Head) advance(e Entry) {
	switch e.Type {
	case TypeTopUp, TypeGrant, TypeAdjustment:
		if e.Amount > 0 {
			h.Epoch = e.Seq
		}
	case TypeUsage:
		h.Accrued = nil
		h.ChargedThrough = max(h.ChargedThrough, e.Through)
	case TypeWaiver:
		h.ChargedThrough = max(h.ChargedThrough, e.Through)
	}
}

// Replay goes over the entries of a tenant again, one after the other, and believes nothing that they say of themselves.
type Replay struct {
	head   Head
	orders map[string]Order
}

// NewReplay begins after the entries that made the head: an empty one, or that of a checkpoint.
func NewReplay(from Head) *Replay {
	return &Replay{head: from.Clone(), orders: map[string]Order{}}
}

// Next takes the entry that follows, as it is stored.
func (r *Replay) Next(stored []byte) (Entry, error) {
	e, err := DecodeEntry(stored)
	if err != nil {
		return Entry{}, err
	}
	if e.Seq != r.head.Seq+1 || e.Tenant != r.head.Tenant || e.Prev != r.head.Hash {
		return Entry{}, fmt.Errorf("entry %d of %q does not follow entry %d of %q: %w", e.Seq, e.Tenant, r.head.Seq, r.head.Tenant, ErrBroken)
	}
	again, err := r.head.seal(e)
	if err != nil {
		return Entry{}, fmt.Errorf("entry %d cannot be: %w: %w", e.Seq, ErrBroken, err)
	}
	if !bytes.Equal(again.Encode(), stored) {
		return Entry{}, fmt.Errorf("entry %d does not match its hash: %w", e.Seq, ErrBroken)
	}
	// An order whose payment lies before what is replayed is left alone: nothing here says what was paid.
	if o, seen := r.orders[e.Order]; e.Order != "" && (seen || e.Type == TypeTopUp) {
		if err := o.take(e); err != nil {
			return Entry{}, fmt.Errorf("entry %d cannot be: %w: %w", e.Seq, ErrBroken, err)
		}
		r.orders[e.Order] = o
	}

	return e, nil
}

// Head is what the entries so far amount to.
func (r *Replay) Head() Head { return r.head.Clone() }

// Orders are what they say of the orders whose payment was among them.
func (r *Replay) Orders() map[string]Order { return r.orders }

// Matches compares what is stored as the head with what the entries amount to. Of use that is not settled, and of what was
// decided, entries know nothing.
func (r *Replay) Matches(stored Head) error {
	want := stored.Clone()
	got := r.head.Clone()
	if want.ChargedThrough < got.ChargedThrough {
		return fmt.Errorf("the head is charged through window %d, its entries through %d: %w", want.ChargedThrough, got.ChargedThrough, ErrBroken)
	}
	for _, h := range []*Head{&want, &got} {
		h.ChargedThrough, h.LastCharge, h.Period, h.Accrued, h.Carry, h.Phase, h.State = 0, "", Period{}, nil, nil, "", nil
		h.Stopped, h.FreeThrough, h.Used = false, 0, 0
	}
	if a, b := want.Encode(), got.Encode(); !bytes.Equal(a, b) {
		return fmt.Errorf("the head is %s, its entries amount to %s: %w", a, b, ErrBroken)
	}

	return nil
}
