package books

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/dogker/dogker/reconciler/book"
)

// Format is what is written.
type Format string

// The formats.
const (
	FormatJSON  Format = "json"
	FormatCSV   Format = "csv"
	FormatFOCUS Format = "focus"
	FormatCosts Format = "costs"
)

// Formats are all of them.
func Formats() []string {
	return []string{string(FormatJSON), string(FormatCSV), string(FormatFOCUS), string(FormatCosts)}
}

// query is what somebody asks for.
type query struct {
	verify   bool
	format   Format
	from, to int64
	// whole is true when no beginning is asked for: then it is what is still in the store.
	whole bool
}

// known are the parameters that there are. The last is the API server's own.
var known = []string{"format", "month", "from", "to", "verify", "timeout"}

// parse reads the parameters of a request about an account whose months begin so many hours east of UTC. A span that is not
// given is everything until now.
func parse(values url.Values, offsetHours int32, now time.Time) (query, error) {
	for name, v := range values {
		if !slices.Contains(known, name) {
			return query{}, refuse(name, strings.Join(v, ","), "there are "+strings.Join(known, ", "))
		}
		if len(v) != 1 {
			return query{}, refuse(name, strings.Join(v, ","), "must be given once")
		}
	}
	q := query{format: FormatJSON, to: now.Unix() + 1}
	if v := values.Get("verify"); values.Has("verify") {
		if v != "true" && v != "false" {
			return query{}, refuse("verify", v, "must be true or false")
		}
		q.verify = v == "true"
		if span := values.Has("month") || values.Has("from") || values.Has("to") || values.Has("format"); q.verify && span {
			return query{}, refuse("verify", v, "is of everything: it goes with no other parameter")
		}
	}
	if v := values.Get("format"); values.Has("format") {
		if !slices.Contains(Formats(), v) {
			return query{}, refuse("format", v, "must be one of "+strings.Join(Formats(), ", "))
		}
		q.format = Format(v)
	}

	return q.span(values, offsetHours)
}

func (q query) span(values url.Values, offsetHours int32) (query, error) {
	if v := values.Get("month"); values.Has("month") {
		if values.Has("from") || values.Has("to") {
			return query{}, refuse("month", v, "goes with neither from nor to")
		}
		month, err := book.ParseMonth(v, offsetHours)
		if err != nil {
			return query{}, refuse("month", v, "must be a month such as 2026-11")
		}
		q.from, q.to = month.Start(), month.End()

		return q, nil
	}
	for name, into := range map[string]*int64{"from": &q.from, "to": &q.to} {
		if !values.Has(name) {
			continue
		}
		at, err := time.Parse(time.RFC3339, values.Get(name))
		if err != nil {
			return query{}, refuse(name, values.Get(name), "must be a time such as 2026-11-01T00:00:00Z")
		}
		*into = at.Unix()
	}
	q.whole = q.from == 0
	if q.to <= q.from {
		return query{}, refuse("to", values.Get("to"), "must be after from")
	}

	return q, nil
}

func refuse(parameter, value, allowed string) error {
	return apierrors.NewBadRequest(fmt.Sprintf("parameter %s: invalid value: %.80q: %s", parameter, value, allowed))
}
