package statement

import (
	"cmp"
	"slices"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/book"
)

// written are the Statements of one account, in the order of their months. What has another name than a month is left out.
func written(all []billingv1.Statement, offsetHours int32) []*billingv1.Statement {
	var out []*billingv1.Statement
	for i := range all {
		if _, err := book.ParseMonth(all[i].Name, offsetHours); err == nil {
			out = append(out, &all[i])
		}
	}
	slices.SortFunc(out, func(a, b *billingv1.Statement) int { return cmp.Compare(a.Name, b.Name) })

	return out
}

// due are the months from the first one on that are over and have no Statement, in order. A month begins when the one before
// it ended, if there is a Statement that says so.
func due(have []*billingv1.Statement, first book.Month, now int64) []span {
	to := map[string]int64{}
	for _, s := range have {
		to[s.Name] = s.Spec.To.Unix()
	}

	var out []span
	ended, known := to[first.Previous().String()]
	for m := first; m.End() <= now; m = m.Next() {
		s := span{name: m.String(), from: m.Start(), to: m.End()}
		if known {
			s.from = ended
		}
		if end, is := to[s.name]; is {
			ended, known = end, true
			continue
		}
		// Where somebody took the Statement of a month in between away, it ends where the next one begins.
		for _, h := range have {
			if h.Name == m.Next().String() {
				s.to = h.Spec.From.Unix()
			}
		}
		out = append(out, s)
		ended, known = s.to, true
	}

	return out
}
