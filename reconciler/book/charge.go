package book

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/dogker/dogker/reconciler/money"
)

// Charge prices what was used in windows that have not been charged, and moves the cursor behind them. Settled, it draws
// the money and writes a Usage entry about all that was used since the last. Only a leader may.
//
// It has no idempotency key: the cursor lets a window be charged once, whoever tries.
type Charge struct {
	// From and Through are the windows that are closed. From is the one after the cursor.
	From, Through int64
	// Since is the first of them in which something was used, 0 for From. It lies in the hour of Through: one Charge has
	// the use of one hour, however long nothing was used before.
	Since int64
	// Begin is the first window of the settlement that this use is of: what is open from before it is settled first, however
	// long nothing was used since. So no Usage entry is about two settlements, and none about two months. 0 for any.
	Begin int64
	// Free is the last of the windows in which compute is free, as Head.Free tells, 0 for none. What was used of it until
	// then is not among the lines. If it is another by now the charge fails with ErrCutOver.
	Free int64
	// Lines of use, without their charge. There may be none: time passes for who uses nothing.
	Lines []Line
	// Gaps that became known. They are recorded in a Waiver.
	Gaps []Gap
	// PriceList is the version of the prices. When it changes, what was used at the old ones is settled first.
	PriceList string
	// Settle draws the money now: at the end of an hour, before a suspension, when an account closes.
	Settle bool
	// Floor is what the draw may take the paid money down to: minus the overdraft. What is beyond is waived.
	Floor money.Micro
}

// Key implements Op.
func (Charge) Key() string { return "" }

func (Charge) fenced() bool { return true }

func (c Charge) validate() error {
	switch {
	case c.From <= 0 || c.Through < c.From:
		return invalid("windows", fmt.Sprintf("%d to %d", c.From, c.Through), "must be above zero and in order")
	case c.since() < c.From || c.since() > c.Through:
		return invalid("since", fmt.Sprint(c.Since), fmt.Sprintf("must be one of the windows %d to %d", c.From, c.Through))
	case c.Begin < 0 || c.Begin > c.Through || len(c.Lines) > 0 && c.Begin > c.since():
		return invalid("begin", fmt.Sprint(c.Begin), "must not be behind the first window with use")
	case len(c.Lines) > 0 && HourOf(c.since()) != HourOf(c.Through):
		return invalid("windows", fmt.Sprintf("%d to %d", c.since(), c.Through), "must lie in one hour")
	case len(c.Gaps) > maxGaps:
		return invalid("gaps", fmt.Sprint(len(c.Gaps)), fmt.Sprintf("must be at most %d", maxGaps))
	case c.Floor > 0:
		return invalid("floor", c.Floor.String(), "must not be above zero")
	case len(c.Lines) > 8*maxLines:
		return invalid("lines", fmt.Sprint(len(c.Lines)), fmt.Sprintf("must be at most %d", 8*maxLines))
	}
	for i, g := range c.Gaps {
		if err := checkKey("cause", g.Cause); err != nil {
			return fmt.Errorf("gaps[%d]: %w", i, err)
		}
	}
	for i, l := range c.Lines {
		if err := checkText("workload", l.Workload, maxWorkloadBytes, true); err != nil {
			return fmt.Errorf("lines[%d]: %w", i, err)
		}
		if !l.Meter.Known() || l.Quantity < 0 || l.Seconds < 0 || l.Price < 0 || l.Charge != 0 {
			return invalid(fmt.Sprintf("lines[%d]", i), fmt.Sprintf("%+v", l), "must be of a known meter, with nothing below zero and without a charge")
		}
		if c.Free == c.Through && Compute(l.Meter) {
			return invalid(fmt.Sprintf("lines[%d]", i), fmt.Sprintf("%+v", l), "must not be of compute, which is free in all windows")
		}
	}

	return checkText("priceList", c.PriceList, maxNameBytes, false)
}

// since is the first window with use.
func (c Charge) since() int64 {
	if c.Since == 0 {
		return c.From
	}

	return c.Since
}

// idleUntil is the Unix time before which nothing was used.
func (c Charge) idleUntil() int64 {
	if len(c.Lines) == 0 {
		return WindowEnd(c.Through)
	}

	return WindowStart(c.since())
}

// hash is that of all fields, numbers with eight bytes and texts with their length before them. Charges are by far the most
// there is of all operations, and the longest.
func (c Charge) hash() string {
	settle := int64(0)
	if c.Settle {
		settle = 1
	}
	h := sha256.New()
	b := append(make([]byte, 0, 1024), "charge\x00"...)
	b = appendInts(b, c.From, c.Through, c.Since, settle, int64(c.Floor), int64(len(c.Lines)), int64(len(c.Gaps)))
	b = appendText(b, c.PriceList)
	for _, l := range c.Lines {
		b = appendText(appendText(b, l.Workload), string(l.Meter))
		b = appendInts(b, l.Quantity, l.Seconds, int64(l.Price))
		if len(b) > cap(b)/2 {
			h.Write(b)
			b = b[:0]
		}
	}
	for _, g := range c.Gaps {
		b = appendInts(appendText(b, g.Cause), g.From, g.To, g.Seconds)
	}
	// Lines and gaps are counted, so nothing else can be taken for this.
	if c.Free != 0 || c.Begin != 0 {
		b = appendInts(b, c.Free, c.Begin)
	}
	h.Write(b)

	return hex.EncodeToString(h.Sum(nil))
}

func appendInts(b []byte, numbers ...int64) []byte {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}

	return b
}

func appendText(b []byte, text string) []byte {
	return append(appendInts(b, int64(len(text))), text...)
}

func (c Charge) apply(d *draft) error {
	h := &d.State.Head
	if err := d.follows(c.From, c.Through); err != nil {
		return err
	}
	if free := h.Free(c.From, c.Through); free != c.Free {
		return fmt.Errorf("windows %d to %d: compute is free through window %d, and not %d: %w", c.From, c.Through, free, c.Free, ErrCutOver)
	}
	if d.open() && c.ends(d) {
		if err := d.settle(c.Floor); err != nil {
			return err
		}
	}
	for _, l := range c.Lines {
		if l.Quantity == 0 || l.Seconds == 0 {
			continue
		}
		if !d.open() {
			d.begin(c)
		}
		if err := d.accrue(l); err != nil {
			return fmt.Errorf("charge %q for %q: %w", l.Workload, l.Meter, err)
		}
	}
	if err := h.bears(); err != nil {
		return err
	}

	h.ChargedThrough, h.LastCharge = c.Through, d.request
	if d.open() {
		d.State.Record.Through = c.Through
		d.recordChanged = true
		if end := WindowEnd(c.Through); c.Settle || len(d.State.Record.Lines) > maxLines || d.lotExpiresBetween(end, end) {
			if err := d.settle(c.Floor); err != nil {
				return err
			}
		}
	}
	if len(c.Gaps) == 0 {
		return nil
	}

	return d.append(Entry{Type: TypeWaiver, Key: gapKey(c.From, c.Through), From: c.From, Through: c.Through, Reason: describe(c.Gaps)})
}

// ends tells whether nothing may be added to what is open: it is at other prices, of an earlier settlement, or paid for by a
// lot that pays for nothing of what comes.
func (c Charge) ends(d *draft) bool {
	r := d.State.Record

	return r.PriceList != c.PriceList || r.Through < c.Begin || d.lotExpiresBetween(WindowEnd(r.Through), c.idleUntil())
}

// Repeats tells whether the head is as the charge has left it: then it has been done already.
func (c Charge) Repeats(h Head) bool {
	return h.ChargedThrough == c.Through && h.LastCharge != "" && h.LastCharge == RequestHash(c)
}

// follows tells whether windows are the next ones of the tenant.
func (d *draft) follows(from, through int64) error {
	cursor := d.State.Head.ChargedThrough
	switch {
	case cursor == 0 || from == cursor+1:
		return nil
	case from > cursor+1:
		return fmt.Errorf("windows %d to %d: the cursor is at %d: %w", from, through, cursor, ErrGap)
	default:
		return fmt.Errorf("windows %d to %d: the cursor is at %d: %w", from, through, cursor, ErrCharged)
	}
}

// open tells whether there is use that is not settled.
func (d *draft) open() bool { return len(d.State.Record.Lines) > 0 && !d.State.Record.Settled }

// begin starts the next record.
func (d *draft) begin(c Charge) {
	h := &d.State.Head
	next := Period{Hour: HourOf(c.since())}
	if next.Hour == h.Period.Hour {
		next.Part = h.Period.Part + 1
	}
	h.Period = next
	d.State.Record = Record{Tenant: h.Tenant, Period: next, From: c.since(), PriceList: c.PriceList, Carry: maps.Clone(h.Carry)}
}

// accrue prices a line and adds it to what is not settled.
func (d *draft) accrue(l Line) error {
	h := &d.State.Head
	charge, rest, err := l.Meter.Accrue(money.Use{Quantity: l.Quantity, Seconds: l.Seconds, Price: l.Price}, h.Carry[l.Meter])
	if err != nil {
		return err
	}
	if h.Carry == nil {
		h.Carry = map[money.Meter]uint64{}
	}
	h.Carry[l.Meter] = rest
	if charge > 0 {
		if err := h.accrue(l.Meter, charge); err != nil {
			return err
		}
	}
	l.Charge = charge

	return d.State.Record.add(l)
}

// accrue adds to what is not settled.
func (h *Head) accrue(m money.Meter, charge money.Micro) (err error) {
	if h.Accrued == nil {
		h.Accrued = map[money.Meter]money.Micro{}
	}
	h.Accrued[m], err = h.Accrued[m].Add(charge)

	return err
}

// bears asserts that all that is not settled can be added up, and taken from what there is.
func (h *Head) bears() error {
	var total money.Micro
	for _, m := range meters {
		var err error
		if total, err = total.Add(h.Accrued[m]); err != nil {
			return err
		}
	}
	_, err := h.Paid.Sub(total)

	return err
}

// lotExpiresBetween tells whether a lot pays for nothing any more after a time: then what it can pay for is settled before.
func (d *draft) lotExpiresBetween(from, to int64) bool {
	return slices.ContainsFunc(d.State.Head.Lots, func(l Lot) bool { return l.Expires >= from && l.Expires <= to })
}
