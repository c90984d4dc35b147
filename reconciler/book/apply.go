package book

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/money"
)

// Op is something that happens to the money of a tenant. The types that implement it are in this package.
type Op interface {
	// Key is the idempotency key of what it does, empty when something else keeps it from being done twice.
	Key() string

	validate() error
	apply(d *draft) error
}

// Fenced tells whether only a leader may do it.
func Fenced(op Op) bool {
	f, ok := op.(interface{ fenced() bool })

	return ok && f.fenced()
}

// OrderOf is the order whose record an operation needs, given the head, or empty.
func OrderOf(op Op, h Head) string {
	if o, ok := op.(interface{ orderIn(Head) string }); ok {
		return o.orderIn(h)
	}

	return ""
}

// CouponOf is the coupon that an operation redeems, and how often it may be redeemed by all tenants together.
func CouponOf(op Op) (id string, limit int64, ok bool) {
	if g, is := op.(Grant); is && g.Coupon != "" {
		return g.Coupon, g.CouponLimit, true
	}

	return "", 0, false
}

// RequestHash is the same for operations that ask for the same.
func RequestHash(op Op) string {
	if c, ok := op.(Charge); ok {
		return c.hash()
	}

	return hashOf(fmt.Sprintf("%T", op), op)
}

// State is what an operation needs to know of a tenant.
type State struct {
	Head Head
	// Record is that of the Head's Period; of no lines if there is none.
	Record Record
	// Order is the one that OrderOf names.
	Order Order
}

func (s State) clone() State {
	s.Head = s.Head.Clone()
	s.Record.Lines = slices.Clone(s.Record.Lines)
	s.Order = s.Order.Clone()

	return s
}

// Outcome is what an operation makes of a State.
type Outcome struct {
	State State
	// Entries that it writes, sealed.
	Entries []Entry
	// Settled are the records that the Usage entries among them are about.
	Settled []Record
	// RecordChanged tells that State.Record is another one.
	RecordChanged bool
	// Notices to send, once it is written.
	Notices []Notice
	// Checkpoint that takes the place of what lies before it, or nil.
	Checkpoint *Checkpoint
}

// draft is an Outcome in the making.
type draft struct {
	State         State
	entries       []Entry
	settled       []Record
	recordChanged bool
	notices       []Notice
	checkpoint    *Checkpoint
	now           time.Time
	request       string
}

// Apply does an operation on paper: it changes nothing but what it returns. The decision, if there is one, is taken on what
// the operation made of the head; if it stops the account, what was used until then is settled after it.
func Apply(s State, op Op, decide Decide, now time.Time) (Outcome, error) {
	if err := op.validate(); err != nil {
		return Outcome{}, err
	}
	d := &draft{State: s.clone(), now: now, request: RequestHash(op)}
	if err := op.apply(d); err != nil {
		return Outcome{}, err
	}
	if decide != nil {
		if err := d.decide(s.Head, decide); err != nil {
			return Outcome{}, err
		}
	}
	if err := d.assert(s.Head); err != nil {
		return Outcome{}, err
	}

	return d.outcome(), nil
}

func (d *draft) outcome() Outcome {
	return Outcome{
		State: d.State, Entries: d.entries, Settled: d.settled, RecordChanged: d.recordChanged,
		Notices: d.notices, Checkpoint: d.checkpoint,
	}
}

// append seals an entry and adds it.
func (d *draft) append(e Entry) error {
	e.Time, e.Request = d.now.Unix(), d.request
	sealed, err := d.State.Head.seal(e)
	if err != nil {
		return fmt.Errorf("write %s: %w", e.Type, err)
	}
	if err := d.State.Order.note(sealed); err != nil {
		return fmt.Errorf("write %s: %w", e.Type, err)
	}
	d.entries = append(d.entries, sealed)

	return nil
}

// assert refuses what would not balance. That is a fault of this package; nothing of the tenant must be written before it is
// found, and everybody else goes on.
func (d *draft) assert(before Head) error {
	after := d.State.Head
	var sum money.Micro
	for _, e := range d.entries {
		sum += e.Amount
	}
	var wrong string
	switch {
	case before.Balance()+sum != after.Balance():
		wrong = fmt.Sprintf("a balance of %s and %s are not %s", before.Balance(), sum, after.Balance())
	case after.Seq != before.Seq+int64(len(d.entries)):
		wrong = fmt.Sprintf("entry %d comes after %d and %d more", after.Seq, before.Seq, len(d.entries))
	case after.ChargedThrough < before.ChargedThrough:
		wrong = fmt.Sprintf("the cursor goes back from %d to %d", before.ChargedThrough, after.ChargedThrough)
	case d.open() && !maps.Equal(d.State.Record.Metered(), after.Accrued):
		wrong = fmt.Sprintf("%v accrued, the record says %v", after.Accrued, d.State.Record.Metered())
	default:
		return nil
	}

	return fmt.Errorf("the outcome contradicts itself: %s: %w", wrong, ErrBroken)
}

// Check tells whether the parts of a state that was read belong together.
func (s State) Check() error {
	open := len(s.Record.Lines) > 0 && !s.Record.Settled
	switch {
	case !open && len(s.Head.Accrued) > 0:
		return fmt.Errorf("%s accrued and there is no record of it: %w", s.Head.AccruedTotal(), ErrBroken)
	case open && (s.Record.Period != s.Head.Period || s.Record.Tenant != s.Head.Tenant):
		return fmt.Errorf("the record of period %s of %q is stored as that of %s: %w", s.Record.Period, s.Record.Tenant, s.Head.Period, ErrBroken)
	case open && !maps.Equal(s.Record.Metered(), s.Head.Accrued):
		return fmt.Errorf("%s accrued and the record says %s: %w", s.Head.AccruedTotal(), s.Record.Total(), ErrBroken)
	default:
		return nil
	}
}
