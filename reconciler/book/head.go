package book

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dogker/dogker/reconciler/money"
)

// Limits of a head, which is written with every operation.
const (
	maxLots  = 32
	maxHolds = 32
	// maxStateBytes is what whoever decides may keep there.
	maxStateBytes = 8 << 10
)

// headVersion is the format of a Head.
const headVersion = 1

// Head is how a tenant stands after all entries so far. What the entries say can be replayed from them; the rest is where
// metering has got to, and what the last Decide made of it.
type Head struct {
	Version int    `json:"v"`
	Tenant  string `json:"tenant"`
	// Seq and Hash are those of the last entry, 0 and empty before the first.
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
	// Epoch is the Seq of the last entry that gave the tenant money.
	Epoch int64 `json:"epoch"`
	// Paid is the tenant's own money, without what is held. It is below zero when there is a debt.
	Paid money.Micro `json:"paid"`
	// Lots of promotional money, in the order they are drawn.
	Lots []Lot `json:"lots,omitempty"`
	// Holds are amounts on their way back to the payer.
	Holds []Hold `json:"holds,omitempty"`

	// ChargedThrough is the last window that was charged or waived, 0 before the first. It never goes back.
	ChargedThrough int64 `json:"chargedThrough"`
	// LastCharge is the hash of the operation that moved it there.
	LastCharge string `json:"lastCharge,omitempty"`
	// Period is what was used since the last Usage entry, or that entry's.
	Period Period `json:"period"`
	// Accrued is what it costs, by meter. It is not paid yet, and not available any more.
	Accrued map[money.Meter]money.Micro `json:"accrued,omitempty"`
	// Carry is what the divisions left over, by meter.
	Carry map[money.Meter]uint64 `json:"carry,omitempty"`

	// Phase and State are the words of whoever decides about the tenant: see Decision.
	Phase string          `json:"phase,omitempty"`
	State json.RawMessage `json:"state,omitempty"`

	// Stopped is true while the account does not run, and FreeThrough the last window of the last time that it did not: see
	// Head.Free.
	Stopped     bool  `json:"stopped,omitempty"`
	FreeThrough int64 `json:"freeThrough,omitempty"`
	// Used is what all Usage entries have drawn. What a span of time has cost is a difference of it and of what accrued.
	Used money.Micro `json:"used,omitempty"`
}

// Lot is promotional money: given, not paid.
type Lot struct {
	ID string `json:"id"`
	// Left is what has not been drawn.
	Left money.Micro `json:"left"`
	// Expires is the Unix time, on a whole hour, from which it pays for nothing; 0 is never.
	Expires int64 `json:"expires,omitempty"`
	// Meter is the only one it pays for, if any.
	Meter money.Meter `json:"meter,omitempty"`
	// Order is the payment it came with, which takes it along when it is taken back.
	Order string `json:"order,omitempty"`
}

// Hold is an amount of paid money that is set aside until it is known whether it went back to the payer.
type Hold struct {
	ID     string      `json:"id"`
	Amount money.Micro `json:"amount"`
	Order  string      `json:"order"`
}

// NewHead is the head of a tenant that has no entry yet.
func NewHead(tenant string) Head { return Head{Version: headVersion, Tenant: tenant} }

// Encode writes the head as it is stored.
func (h Head) Encode() []byte {
	w := newEncoder(512 + len(h.State))
	w.head(h)

	return w.out
}

// DecodeHead reads a head.
func DecodeHead(data []byte) (Head, error) {
	var h Head
	if err := decode(data, &h); err != nil {
		return Head{}, fmt.Errorf("decode head: %w", err)
	}
	if h.Version != headVersion {
		return Head{}, fmt.Errorf("decode head of version %d: %w", h.Version, ErrNewer)
	}
	if !bytes.Equal(h.Encode(), data) || !canonical(h.State) {
		return Head{}, fmt.Errorf("decode head: it is not written as this program writes it: %w", ErrBroken)
	}

	return h, nil
}

// canonical tells whether JSON is written in the one spelling in which a decision's state is kept.
func canonical(state json.RawMessage) bool {
	if len(state) == 0 {
		return true
	}
	again, err := json.Marshal(state)

	return err == nil && bytes.Equal(again, state)
}

// Promo is what is left of all lots.
func (h Head) Promo() money.Micro {
	var sum money.Micro
	for _, l := range h.Lots {
		sum += l.Left
	}

	return sum
}

// Held is what all holds hold.
func (h Head) Held() money.Micro {
	var sum money.Micro
	for _, x := range h.Holds {
		sum += x.Amount
	}

	return sum
}

// Balance is what is in all accounts of the tenant: the sum of the amounts of all entries.
func (h Head) Balance() money.Micro { return h.Paid + h.Promo() + h.Held() }

// AccruedTotal is what has been used and is not settled.
func (h Head) AccruedTotal() money.Micro {
	var sum money.Micro
	for _, a := range h.Accrued {
		sum += a
	}

	return sum
}

// Available is what the tenant can still use: neither what is held nor what has been used already.
func (h Head) Available() money.Micro { return h.Paid + h.Promo() - h.AccruedTotal() }

// Hold returns the hold with the ID.
func (h Head) Hold(id string) (Hold, bool) {
	i := slices.IndexFunc(h.Holds, func(x Hold) bool { return x.ID == id })
	if i < 0 {
		return Hold{}, false
	}

	return h.Holds[i], true
}

// Lot returns the lot with the ID.
func (h Head) Lot(id string) (Lot, bool) {
	i := slices.IndexFunc(h.Lots, func(l Lot) bool { return l.ID == id })
	if i < 0 {
		return Lot{}, false
	}

	return h.Lots[i], true
}

// Clone shares nothing with the head.
func (h Head) Clone() Head {
	h.Lots, h.Holds = slices.Clone(h.Lots), slices.Clone(h.Holds)
	h.Accrued, h.Carry, h.State = maps.Clone(h.Accrued), maps.Clone(h.Carry), slices.Clone(h.State)

	return h
}

// post carries the postings of an entry out. It is the only thing that moves money, both when an entry is written and when
// it is replayed.
func (h *Head) post(e Entry) error {
	if e.Lot != nil {
		if err := h.addLot(*e.Lot); err != nil {
			return err
		}
	}
	var sum money.Micro
	for _, p := range e.Postings {
		var err error
		if sum, err = sum.Add(p.Amount); err != nil {
			return err
		}
		if err := h.move(p, e.Order); err != nil {
			return fmt.Errorf("post %s to %q: %w", p.Amount, p.Account, err)
		}
	}
	if sum != 0 {
		return fmt.Errorf("postings add up to %s and not to zero: %w", sum, ErrBroken)
	}
	h.Lots = slices.DeleteFunc(h.Lots, func(l Lot) bool { return l.Left == 0 })
	h.Holds = slices.DeleteFunc(h.Holds, func(x Hold) bool { return x.Amount == 0 })

	return h.fits()
}

// fits asserts that nothing that is added up anywhere overflows.
func (h *Head) fits() error {
	total := []money.Micro{h.Paid}
	for _, l := range h.Lots {
		total = append(total, l.Left)
	}
	for _, x := range h.Holds {
		total = append(total, x.Amount)
	}
	_, err := money.Sum(total...)

	return err
}

// addLot puts an empty lot where its turn is.
func (h *Head) addLot(l Lot) error {
	if _, ok := h.Lot(l.ID); ok {
		return fmt.Errorf("add lot %q: %w", l.ID, ErrExists)
	}
	if len(h.Lots) >= maxLots {
		return fmt.Errorf("add lot %q: there are %d: %w", l.ID, len(h.Lots), ErrTooMany)
	}
	l.Left = 0
	at, _ := slices.BinarySearchFunc(h.Lots, l, burnOrder)
	h.Lots = slices.Insert(h.Lots, at, l)

	return nil
}

func (h *Head) move(p Posting, order string) (err error) {
	switch {
	case p.Account == AccountPaid:
		h.Paid, err = h.Paid.Add(p.Amount)
		return err
	case strings.HasPrefix(p.Account, AccountPromo):
		return h.moveLot(strings.TrimPrefix(p.Account, AccountPromo), p.Amount)
	case strings.HasPrefix(p.Account, AccountHeld):
		return h.moveHold(strings.TrimPrefix(p.Account, AccountHeld), p.Amount, order)
	default:
		return nil
	}
}

func (h *Head) moveLot(id string, amount money.Micro) (err error) {
	i := slices.IndexFunc(h.Lots, func(l Lot) bool { return l.ID == id })
	if i < 0 {
		return ErrNotFound
	}
	if h.Lots[i].Left, err = h.Lots[i].Left.Add(amount); err == nil && h.Lots[i].Left < 0 {
		err = ErrInsufficient
	}

	return err
}

func (h *Head) moveHold(id string, amount money.Micro, order string) (err error) {
	i := slices.IndexFunc(h.Holds, func(x Hold) bool { return x.ID == id })
	switch {
	case i < 0 && len(h.Holds) >= maxHolds:
		return fmt.Errorf("there are %d holds: %w", len(h.Holds), ErrTooMany)
	case i < 0:
		i = len(h.Holds)
		h.Holds = append(h.Holds, Hold{ID: id, Order: order})
	}
	if h.Holds[i].Amount, err = h.Holds[i].Amount.Add(amount); err == nil && h.Holds[i].Amount < 0 {
		err = ErrInsufficient
	}

	return err
}
