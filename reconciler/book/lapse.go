package book

import "fmt"

// Lapse takes what is left of a lot that nobody will use: its account is closed, or its time is over and nothing has been
// used since, so that no charge ever moves the cursor to where Expire could take it. It is for whoever knows that nothing is
// in use; what was used before must be settled. Only a leader may.
type Lapse struct {
	Lot    string
	Reason string
}

// Key implements Op.
func (l Lapse) Key() string { return "lapse:" + l.Lot }

func (Lapse) fenced() bool { return true }

func (l Lapse) validate() error {
	return first(checkKey("lot", l.Lot), checkKey("key", l.Key()), checkText("reason", l.Reason, maxReasonBytes, true))
}

func (l Lapse) apply(d *draft) error {
	lot, ok := d.State.Head.Lot(l.Lot)
	switch {
	case !ok:
		return fmt.Errorf("lapse lot %q: %w", l.Lot, ErrNotFound)
	case d.open():
		return fmt.Errorf("lapse lot %q: %w", l.Lot, ErrTooEarly)
	}

	e := Entry{
		Type: TypeGrantExpiry, Key: l.Key(), Order: lot.Order, Reason: l.Reason,
		Postings: []Posting{{AccountPromo + lot.ID, -lot.Left}, {AccountPromoExpense, lot.Left}},
	}
	// What expires belongs to the last moment at which it could be used, as with Expire.
	if lot.Expires != 0 && lot.Expires <= d.now.Unix() {
		e.From = lot.Expires/WindowSeconds - 1
		e.Through = e.From
	}

	return d.append(e)
}
