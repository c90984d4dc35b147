package ledger

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// columns of the native CSV. New ones are added at the end.
var columns = []string{
	"seq", "time", "period_start", "period_end", "type", "workload", "meter", "quantity", "unit", "unit_price_idr",
	"amount_idr", "balance_after_idr", "key", "reverses", "hash",
}

// WriteCSV writes the items that belong to a span of Unix time, to not included, one row for each entry and one for each
// line of a Usage. The amounts of the rows of an entry add up to its amount: where a Usage was not charged in full, a row
// gives back what was waived. The same items give the same bytes.
//
// The items must be all of the tenant, in order, after those that amounted to the opening balance.
func WriteCSV(w io.Writer, opening money.Micro, items iter.Seq2[book.Item, error], from, to int64) error {
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	t := table{out: out, balance: opening}
	for item, err := range items {
		if err != nil {
			return err
		}
		if at := item.Entry.Effective(); at < from || at >= to {
			// A span need not be a stretch of the ledger: use of the last hour of a month is charged when the next
			// month has begun. The balance is the one of the span.
			if at < from {
				t.balance += item.Entry.Amount
			}
			continue
		}
		if err := t.item(item); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}

	return nil
}

// table writes rows and keeps the balance.
type table struct {
	out     *csv.Writer
	balance money.Micro
}

func (t *table) item(item book.Item) error {
	e := item.Entry
	if item.Record == nil {
		return t.row(e, string(e.Type), book.Line{}, e.Amount)
	}
	for _, l := range item.Record.Lines {
		if err := t.row(e, string(e.Type), l, -l.Charge); err != nil {
			return err
		}
	}
	if item.Record.Waived == 0 {
		return nil
	}

	return t.row(e, "Waived", book.Line{}, item.Record.Waived)
}

func (t *table) row(e book.Entry, kind string, l book.Line, amount money.Micro) error {
	t.balance += amount
	row := []string{
		strconv.FormatInt(e.Seq, 10), stamp(e.Time), "", "", kind, guard(l.Workload), string(l.Meter), "", l.Meter.Unit(), "",
		amount.String(), t.balance.String(), guard(e.Key), "", e.Hash,
	}
	if e.Through > 0 {
		row[2], row[3] = stamp(book.WindowStart(e.From)), stamp(book.WindowEnd(e.Through))
	}
	if l.Meter != "" {
		row[7], row[9] = l.Meter.Units(l.Quantity, l.Seconds), l.Price.String()
	}
	if e.Reverses > 0 {
		row[13] = strconv.FormatInt(e.Reverses, 10)
	}

	return t.out.Write(row)
}

func stamp(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// formulas are what spreadsheets take a formula to begin with, also in the width of Chinese characters.
const formulas = "=+-@\t\r\n＝＋－＠"

// guard keeps a spreadsheet from taking a text for a formula. Amounts are numbers that we have written ourselves, and need
// none.
func guard(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune(formulas, first) {
		return "'" + text
	}

	return text
}
