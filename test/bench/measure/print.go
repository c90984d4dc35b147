package measure

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// header of the table, in both forms.
var header = line{"Figure", "Arm", "Median", "Smallest – largest", Ours + " ÷ it", "Goal"}

func (l line) cells() []string {
	return []string{l.figure, l.arm, l.median, l.spread, l.ratio, l.goal}
}

// Text prints the report for a terminal.
func (r *Report) Text(w io.Writer) error {
	fmt.Fprintf(w, "\n%s: %s\n", r.Name, r.Title)
	for _, c := range r.Conditions {
		fmt.Fprintf(w, "  %s\n", c)
	}

	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range append([]line{header}, r.lines()...) {
		fmt.Fprintln(tw, "  "+strings.Join(l.cells(), "\t"))
	}

	return tw.Flush()
}

// Markdown prints the report as a section of a document.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder

	fmt.Fprintf(&b, "### %s\n\n%s\n\n", r.Title, r.About)
	writeRow(&b, header.cells())
	writeRow(&b, []string{"---", "---", "---:", "---:", "---:", "---"})
	for _, l := range r.lines() {
		writeRow(&b, l.cells())
	}
	b.WriteString("\n")
	for _, c := range r.Conditions {
		fmt.Fprintf(&b, "- %s\n", c)
	}

	_, err := io.WriteString(w, b.String())

	return err
}

func writeRow(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
