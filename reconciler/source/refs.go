package source

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
)

// Lister tells which references repositories have.
type Lister interface {
	// Refs asks the server what it has, and fetches nothing. It blocks until that is done, fails, or takes longer than the
	// request or ctx allows; it is idempotent and leaves nothing behind. Errors are of type *Error, as those of a Builder.
	Refs(ctx context.Context, r RefsRequest) (Refs, error)
}

// RefsRequest says whose references are listed, and which of them.
type RefsRequest struct {
	// Tenant is whose request this is, as in Request.
	Tenant string `json:"tenant,omitempty"`
	// URL of the repository, and what its server is shown, as in Request.
	URL  string `json:"url"`
	Auth Auth   `json:"auth,omitzero"`
	// Patterns are names with one *, which stands for anything: refs/heads/*, refs/pull/*/head.
	Patterns []RefPattern `json:"patterns,omitempty"`
	// Max is how many are listed of each pattern; DefaultMaxRefs when 0.
	Max int `json:"max,omitempty"`
	// Limits bound the conversation: CloneBytes and Time of them.
	Limits Limits `json:"limits,omitzero"`
	// AllowPrivateAddresses is as in Request.
	AllowPrivateAddresses bool `json:"allowPrivateAddresses,omitempty"`
}

// DefaultMaxRefs is how many references are listed of a pattern where a request says nothing, and at most.
const DefaultMaxRefs = 10_000

// OrDefault is the request with everything that has a default.
func (r RefsRequest) OrDefault() RefsRequest {
	r.Limits = r.Limits.OrDefault()
	if r.Max <= 0 || r.Max > DefaultMaxRefs {
		r.Max = DefaultMaxRefs
	}

	return r
}

// Refs are references of a repository, sorted by name.
type Refs struct {
	Items []Tip `json:"items"`
	// Cut are the patterns that more references match than are listed: of those whose * is a number the highest are, of
	// others the first by name. Nobody may conclude from a list that was cut that a reference is gone.
	Cut []RefPattern `json:"cut,omitempty"`
}

// Tip is a reference and the commit that it leads to.
type Tip struct {
	// Name in full: refs/heads/main. It is one that Git accepts and that can be shown.
	Name string `json:"name"`
	// Commit is the full hash, in hexadecimal.
	Commit string `json:"commit"`
}

// RefPattern is the name of references, with one * for anything.
type RefPattern string

// Match is what the * stands for in a name. It is never nothing.
func (p RefPattern) Match(name string) (string, bool) {
	before, after, _ := strings.Cut(string(p), "*")
	if len(name) <= len(before)+len(after) || !strings.HasPrefix(name, before) || !strings.HasSuffix(name, after) {
		return "", false
	}

	return name[len(before) : len(name)-len(after)], true
}

// Select is the list that a request asks for, of all references that a server has. Names that are none are left out.
func (r RefsRequest) Select(all []Tip) Refs {
	out := Refs{Items: []Tip{}}

	for _, p := range r.Patterns {
		var of []Tip

		for _, t := range all {
			if _, ok := p.Match(t.Name); ok {
				of = append(of, t)
			}
		}

		if len(of) > r.Max {
			slices.SortFunc(of, p.newest)
			of, out.Cut = of[:r.Max], append(out.Cut, p)
		}

		out.Items = append(out.Items, of...)
	}

	slices.SortFunc(out.Items, func(a, b Tip) int { return strings.Compare(a.Name, b.Name) })
	out.Items = slices.CompactFunc(out.Items, func(a, b Tip) bool { return a.Name == b.Name })

	return out
}

// newest orders by number, the highest first, and then by name.
func (p RefPattern) newest(a, b Tip) int {
	return cmp.Or(cmp.Compare(p.number(b.Name), p.number(a.Name)), strings.Compare(a.Name, b.Name))
}

// number is what the * stands for where it is a number, and -1 elsewhere.
func (p RefPattern) number(name string) int64 {
	text, _ := p.Match(name)

	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return -1
	}

	return int64(n)
}
