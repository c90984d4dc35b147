package ledger

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dogker/dogker/reconciler/book"
)

// WriteTable writes the entries for people, one on each line.
func (e Export) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(out, "SEQ\tTIME\tTYPE\tAMOUNT\tBALANCE\tABOUT")
	for _, item := range e.Items {
		entry := item.Entry
		fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\n", entry.Seq, stamp(entry.Time), entry.Type, entry.Amount, entry.BalanceAfter, about(item))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nOpening balance %s, closing balance %s\n", e.Opening, e.Closing)

	return err
}

// about says in a few words what an entry is about. What others have written cannot move the cursor of a terminal: texts in
// entries are printable.
func about(item ExportItem) string {
	e := item.Entry
	var parts []string
	if e.Through > 0 {
		parts = append(parts, stamp(book.WindowStart(e.From))+" to "+stamp(book.WindowEnd(e.Through)))
	}
	if item.Record != nil {
		workloads := map[string]bool{}
		for _, l := range item.Record.Lines {
			workloads[l.Workload] = true
		}
		parts = append(parts, fmt.Sprintf("%d workloads at prices %q", len(workloads), item.Record.PriceList))
	}
	if e.Waived > 0 {
		parts = append(parts, "waived "+e.Waived.String())
	}
	for _, named := range []struct{ what, name string }{{"order", e.Order}, {"refund", e.Hold}, {"by", e.Actor}} {
		if named.name != "" {
			parts = append(parts, named.what+" "+named.name)
		}
	}
	if e.Reverses > 0 {
		parts = append(parts, fmt.Sprintf("puts entry %d right", e.Reverses))
	}
	if len(parts) == 0 {
		parts = append(parts, e.Key)
	}
	if e.Reason != "" {
		parts = append(parts, e.Reason)
	}

	return strings.Join(parts, ", ")
}
