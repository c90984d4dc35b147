package set

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
	"github.com/dogker/dogker/reconciler/source"
)

// Report is what programs read of a run.
type Report struct {
	Namespace string   `json:"namespace"`
	Set       string   `json:"set"`
	DryRun    bool     `json:"dryRun,omitempty"`
	Changes   []Change `json:"changes"`
	// Guard says why nothing was pruned although something is gone.
	Guard string `json:"guard,omitempty"`
	// Ready is whether everything is, where somebody has waited for that.
	Ready bool `json:"ready,omitempty"`
	// Errors are why the run has failed.
	Errors []Failure `json:"errors,omitempty"`
}

// Change is what becomes, or became, of one object.
type Change struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Action is created, configured, recreated, unchanged, skipped, deleted or kept.
	Action      string       `json:"action"`
	Differences []Difference `json:"differences,omitempty"`
	// Reason is said of what was kept.
	Reason string `json:"reason,omitempty"`
}

// Difference is one field. From and To are JSON, shortened; absent for none, and *** for what may be secret.
type Difference struct {
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Failure is one error, about one object where it is about one.
type Failure struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Object  string `json:"object,omitempty"`
	Field   string `json:"field,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message"`
}

// Add takes a change in.
func (r *Report) Add(c delivery.Change) {
	out := Change{
		Group: c.ID.Group, Kind: c.ID.Kind, Namespace: c.ID.Namespace, Name: c.ID.Name, Action: string(c.Action), Reason: c.Why,
	}
	for _, d := range c.Diff {
		out.Differences = append(out.Differences, Difference(d))
	}

	r.Changes = append(r.Changes, out)
}

// Fail takes an error in, each of several by itself.
func (r *Report) Fail(err error) {
	for _, one := range Split(err) {
		f := Failure{Message: one.Error()}

		var (
			object *delivery.Error
			file   *source.Error
		)

		switch {
		case errors.As(one, &object):
			f = Failure{File: object.File, Line: object.Line, Object: object.Object, Field: object.Field, Reason: string(object.Reason), Message: object.Message}
		case errors.As(one, &file):
			f = Failure{File: file.File, Line: file.Line, Field: file.Field, Reason: string(file.Reason), Message: file.Message}
		}

		r.Errors = append(r.Errors, f)
	}
}

// Split is the errors in an error, so that each can have a line of its own.
func Split(err error) []error {
	if err == nil {
		return nil
	}

	// Both delivery.Errors and what errors.Join makes.
	many, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // what wraps it has something to say
	if !ok {
		return []error{err}
	}

	var out []error
	for _, one := range many.Unwrap() {
		out = append(out, Split(one)...)
	}

	return out
}

// WriteJSON writes the report.
func (r *Report) WriteJSON(w io.Writer) error {
	if r.Changes == nil {
		r.Changes = []Change{}
	}

	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)

	return e.Encode(r)
}

// Line is a change as kubectl says it: tenantcontainer.dogker.io/web configured.
func Line(c delivery.Change) string {
	text := subject(c.ID) + " " + string(c.Action)
	if c.Why != "" {
		text += " (" + c.Why + ")"
	}

	return text
}

// Details are the fields that differ, a line for each.
func Details(c delivery.Change) string {
	var b strings.Builder
	for _, d := range c.Diff {
		fmt.Fprintf(&b, "    %s\n", d)
	}

	return b.String()
}

func subject(id inventory.ID) string {
	kind := strings.ToLower(id.Kind)
	if id.Group != "" {
		kind += "." + id.Group
	}

	return kind + "/" + id.Name
}
