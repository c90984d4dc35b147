package book

import (
	"math"

	"github.com/dogker/dogker/reconciler/money"
)

// settle draws what accrued: from the lots that may pay for it, then from paid money down to the floor. What is left is
// waived, and said so: that the money ran out before anybody could act was not the tenant's doing.
func (d *draft) settle(floor money.Micro) error {
	h, record := &d.State.Head, &d.State.Record
	draws, left := burn(h.Lots, h.Accrued, WindowEnd(record.Through))
	paid := min(left, room(h.Paid, floor))
	record.Waived, record.Settled = left-paid, true
	d.recordChanged = true
	d.settled = append(d.settled, *record)

	usage := Entry{
		Type: TypeUsage, Key: "usage:" + record.Period.String(),
		From: record.From, Through: record.Through, Record: record.Digest(),
	}
	charged := paid
	for _, x := range draws {
		usage.Postings = append(usage.Postings, Posting{AccountPromo + x.lot, -x.amount})
		charged += x.amount
	}
	if paid > 0 {
		usage.Postings = append(usage.Postings, Posting{AccountPaid, -paid})
	}
	var err error
	if h.Used, err = h.Used.Add(charged); err != nil {
		return err
	}
	if charged > 0 {
		usage.Postings = append(usage.Postings, Posting{AccountRevenue, charged})
	}
	if err := d.append(usage); err != nil {
		return err
	}
	if record.Waived == 0 {
		return nil
	}

	return d.append(Entry{
		Type: TypeWaiver, Key: "waive:" + record.Period.String(), From: record.From, Through: record.Through,
		Waived: record.Waived, Reason: "The balance ended at the floor.",
	})
}

// room is how much can be drawn before a floor is reached; the largest amount there is stands for more.
func room(paid, floor money.Micro) money.Micro {
	above, err := paid.Sub(floor)
	if err != nil {
		return math.MaxInt64
	}

	return max(above, 0)
}
