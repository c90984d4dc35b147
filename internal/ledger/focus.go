package ledger

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// FOCUSVersion is the version of the FinOps Open Cost and Usage Specification that WriteFOCUS follows.
const FOCUSVersion = "1.2"

// FOCUSInfo is what an export says of an account beside its entries.
type FOCUSInfo struct {
	Tenant string
	// Name is what people call the tenant; empty for the Tenant.
	Name string
	// Provider is who sells, and sends invoices.
	Provider string
	// Region where everything runs; empty for none.
	Region string
	// UTCOffsetHours says where a month, which is a billing period, begins.
	UTCOffsetHours int32
	// Lots are those that were there before the first item.
	Lots []book.Lot
}

// WriteFOCUS writes the items that belong to a span of Unix time, to not included, as a FOCUS dataset in CSV: one row for each
// line of a Usage, and one for each other entry that moves money of the tenant. What is asked of the items is what WriteCSV
// asks. The same items give the same bytes; an empty field is null.
//
// A payment is a Purchase that covers future charges: it is billed and has no effective cost. Use that it covers is billed
// already, and its effective cost is what paid money was drawn for it: neither what promotional money paid nor what was
// waived. Whoever adds up costs takes one of BilledCost and EffectiveCost, as ever.
func WriteFOCUS(w io.Writer, info FOCUSInfo, opening money.Micro, items iter.Seq2[book.Item, error], from, to int64) error {
	out := csv.NewWriter(w)
	header := make([]string, len(focusColumns))
	for i, c := range focusColumns {
		header[i] = c.name
	}
	if err := out.Write(header); err != nil {
		return fmt.Errorf("write FOCUS dataset: %w", err)
	}
	d := newDataset(info, opening)
	for item, err := range items {
		if err != nil {
			return err
		}
		d.remember(item.Entry)
		at := item.Entry.Effective()
		if at < from {
			d.balance += item.Entry.Amount
		}
		if at < from || at >= to {
			continue
		}
		for _, c := range d.chargesOf(item) {
			if err := out.Write(c.row()); err != nil {
				return fmt.Errorf("write FOCUS dataset: %w", err)
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write FOCUS dataset: %w", err)
	}

	return nil
}

// dataset is what must be known of earlier entries to write the next rows.
type dataset struct {
	info    FOCUSInfo
	balance money.Micro
	// scope is the only meter that a lot pays for, by the ID of the lot.
	scope map[string]money.Meter
	// paid is when each order was paid, and effective the time of each entry from number first on: a month that has been
	// invoiced is corrected, and not the one that goes on.
	paid      map[string]int64
	first     int64
	effective []int64
}

func newDataset(info FOCUSInfo, opening money.Micro) *dataset {
	if info.Name == "" {
		info.Name = info.Tenant
	}
	d := &dataset{info: info, balance: opening, scope: map[string]money.Meter{}, paid: map[string]int64{}}
	for _, l := range info.Lots {
		d.scope[l.ID] = l.Meter
	}

	return d
}

func (d *dataset) remember(e book.Entry) {
	if d.first == 0 {
		d.first = e.Seq
	}
	d.effective = append(d.effective, e.Effective())
	if e.Lot != nil {
		d.scope[e.Lot.ID] = e.Lot.Meter
	}
	if e.Type == book.TypeTopUp {
		d.paid[e.Order] = e.Time
	}
}

// chargesOf are the rows of an entry: none if it moves nothing of the tenant's.
func (d *dataset) chargesOf(item book.Item) []focusCharge {
	e := item.Entry
	base := d.chargeOf(e)
	switch e.Type {
	case book.TypeUsage:
		return d.use(base, item)
	case book.TypeTopUp, book.TypeRefundPost, book.TypeReversal, book.TypeChargeback:
		return d.last(base.purchase(-amountOf(e, book.AccountGateway)))
	case book.TypeGrant, book.TypeGrantExpiry:
		return d.last(base.credit())
	case book.TypeAdjustment:
		// Money that was kept for nobody was paid by this tenant after all.
		if kept := -amountOf(e, book.AccountSuspense); kept > 0 {
			return d.last(base.purchase(kept))
		}
		if e.Amount == 0 {
			return nil
		}
		return d.last(base.adjustment())
	case book.TypeWriteOff:
		return d.last(base.adjustment())
	default:
		return nil
	}
}

// last is an entry of one row.
func (d *dataset) last(c focusCharge) []focusCharge {
	d.balance += c.entry.Amount
	c.change, c.balance = c.entry.Amount, d.balance

	return []focusCharge{c}
}

// use has a row for each line of what was used.
func (d *dataset) use(base focusCharge, item book.Item) []focusCharge {
	shares := d.shares(item)
	out := make([]focusCharge, len(item.Record.Lines))
	for i, l := range item.Record.Lines {
		c := base.usage(l, item.Record.PriceList, shares[i])
		d.balance += c.change
		c.balance = d.balance
		out[i] = c
	}

	return out
}

// corrects tells whether an entry is about one that belongs to a month before its own. What it is about and cannot be found
// was pruned, and is that old.
func (d *dataset) corrects(e book.Entry, month book.Month) bool {
	switch {
	case e.Type == book.TypeRefundPost, e.Type == book.TypeReversal, e.Type == book.TypeChargeback:
		at, known := d.paid[e.Order]
		return !known || at < month.Start()
	case e.Reverses > 0:
		i := e.Reverses - d.first
		return i < 0 || (i < int64(len(d.effective)) && d.effective[i] < month.Start())
	default:
		return false
	}
}

// amountOf is what an entry posts to an account.
func amountOf(e book.Entry, account string) money.Micro {
	var sum money.Micro
	for _, p := range e.Postings {
		if p.Account == account {
			sum += p.Amount
		}
	}

	return sum
}
