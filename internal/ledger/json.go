package ledger

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"

	"github.com/dogker/dogker/reconciler/book"
	"github.com/dogker/dogker/reconciler/money"
)

// Export is what WriteJSON writes, for those who read it.
type Export struct {
	Tenant string `json:"tenant"`
	// Items that belong to the span, in the order in which they were written.
	Items []ExportItem `json:"items"`
	// From and To are the span.
	From string `json:"from"`
	To   string `json:"to"`
	// Opening plus the amounts of all entries is Closing.
	Opening money.Micro `json:"opening"`
	Closing money.Micro `json:"closing"`
}

// ExportItem is an entry, and what a Usage is made of.
type ExportItem struct {
	Entry  book.Entry   `json:"entry"`
	Record *book.Record `json:"record,omitempty"`
}

// WriteJSON writes the items that belong to a span of Unix time, to not included, as one Export, an item on each line. Entries
// and records have the bytes in which they are stored, so hashes can be worked out anew. What is asked of the items is what
// WriteCSV asks.
func WriteJSON(w io.Writer, tenant string, opening money.Micro, items iter.Seq2[book.Item, error], from, to int64) error {
	out := bufio.NewWriter(w)
	closing := opening
	fmt.Fprintf(out, `{"tenant":%q,"items":[`, tenant)
	separator := "\n"
	for item, err := range items {
		if err != nil {
			return err
		}
		switch at := item.Entry.Effective(); {
		case at < from:
			opening += item.Entry.Amount
			closing += item.Entry.Amount
		case at < to:
			closing += item.Entry.Amount
			fmt.Fprintf(out, `%s{"entry":%s`, separator, item.Entry.Encode())
			if item.Record != nil {
				fmt.Fprintf(out, `,"record":%s`, item.Record.Encode())
			}
			if _, err := out.WriteString("}"); err != nil {
				return fmt.Errorf("write JSON: %w", err)
			}
			separator = ",\n"
		}
	}
	fmt.Fprintf(out, "],\n\"from\":%q,\"to\":%q,\"opening\":%q,\"closing\":%q}\n", stamp(from), stamp(to), opening, closing)
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}

	return nil
}

// ReadJSON reads what WriteJSON has written.
func ReadJSON(r io.Reader) (Export, error) {
	var e Export
	if err := json.NewDecoder(r).Decode(&e); err != nil {
		return Export{}, fmt.Errorf("read export of the ledger: %w", err)
	}

	return e, nil
}
