package compose

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Kind says what became of a field.
type Kind string

// The kinds of findings. All but notes are losses.
const (
	// Lost is what our API has no word for, or cannot hold.
	Lost Kind = "lost"
	// Refused is what no tenant may have.
	Refused Kind = "refused"
	// Changed is what came out as something close to it.
	Changed Kind = "changed"
	// Note is worth knowing, and nothing is lost.
	Note Kind = "note"
)

// Finding says what became of one field of the Compose files.
type Finding struct {
	Kind Kind
	// Path of the field, such as services.web.ports[0].mode.
	Path string
	// Value that it has; empty when it is secret, or says nothing.
	Value string
	// Why, and what to do instead: clauses without a full stop.
	Why, Instead string
}

// String is one line of a report.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Kind, f.Path)
	if f.Value != "" {
		fmt.Fprintf(&b, ": %q", shortened(f.Value))
	}
	fmt.Fprintf(&b, ": %s", f.Why)
	if f.Instead != "" {
		fmt.Fprintf(&b, "; %s", f.Instead)
	}

	return b.String()
}

// maxValue is how much of a value a report shows.
const maxValue = 100

func shortened(value string) string {
	if runes := []rune(value); len(runes) > maxValue {
		return string(runes[:maxValue]) + "…"
	}

	return value
}

// Losses are the findings that are more than notes.
func (r Result) Losses() []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Kind == Note })
}

// WriteReport writes one line for each finding, and one that counts.
func (r Result) WriteReport(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, f := range r.Findings {
		fmt.Fprintln(out, f)
	}
	fmt.Fprintln(out, r.Summary())

	return out.Flush()
}

// Summary counts.
func (r Result) Summary() string {
	n := map[Kind]int{}
	for _, f := range r.Findings {
		n[f.Kind]++
	}

	return fmt.Sprintf("%d of %d services converted: %d lost, %d refused, %d changed, %d notes",
		r.Converted, r.Services, n[Lost], n[Refused], n[Changed], n[Note])
}
