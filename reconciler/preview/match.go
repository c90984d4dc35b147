package preview

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// branches is the pattern of what can be a branch.
const branches source.RefPattern = "refs/heads/*"

// pulls are how Git servers call pull requests, and what previews of theirs are called by.
var pulls = []struct {
	pattern source.RefPattern
	prefix  string
}{
	{"refs/pull/*/head", "pr-"},
	{"refs/merge-requests/*/head", "mr-"},
	{"refs/pull-requests/*/from", "pr-"},
}

// Selector says which references get a preview.
type Selector struct {
	include, exclude []*regexp.Regexp
	pulls            bool
	from             int64
}

// NewSelector is that of a spec.
func NewSelector(spec *gitopsv1.GitPreviewSpec) Selector {
	var s Selector

	if b := spec.Branches; b != nil {
		s.include, s.exclude = globs(b.Include), globs(b.Exclude)
	}

	if p := spec.PullRequests; p != nil {
		s.pulls, s.from = true, int64(p.From)
	}

	return s
}

// Patterns are what to ask the server for.
func (s Selector) Patterns() []source.RefPattern {
	var out []source.RefPattern
	if len(s.include) > 0 {
		out = append(out, branches)
	}

	if s.pulls {
		for _, p := range pulls {
			out = append(out, p.pattern)
		}
	}

	return out
}

// Match tells whether a reference gets a preview.
func (s Selector) Match(ref string) bool {
	if branch, ok := branches.Match(ref); ok {
		return matches(s.include, branch) && !matches(s.exclude, branch)
	}

	n, _, ok := number(ref)

	return ok && s.pulls && n >= s.from
}

// Matching are those of a list that get a preview, with their commits. It is never nil.
func (s Selector) Matching(refs source.Refs) map[string]string {
	out := map[string]string{}

	for _, t := range refs.Items {
		if s.Match(t.Name) {
			out[t.Name] = t.Commit
		}
	}

	return out
}

// IsPull is true for the reference of a pull request.
func IsPull(ref string) bool {
	_, _, ok := number(ref)

	return ok
}

// number is that of a pull request, and how it is called.
func number(ref string) (n int64, prefix string, ok bool) {
	for _, p := range pulls {
		text, is := p.pattern.Match(ref)
		if !is {
			continue
		}

		// In the one form that numbers have, so that no two references are the same pull request.
		n, err := strconv.ParseInt(text, 10, 32)
		if err == nil && n > 0 && strconv.FormatInt(n, 10) == text {
			return n, p.prefix, true
		}
	}

	return 0, "", false
}

func matches(patterns []*regexp.Regexp, name string) bool {
	return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(name) })
}

// globs are patterns in which * is anything without a slash, ** anything, and ? one character that is no slash.
func globs(patterns []string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, 0, len(patterns))
	for _, p := range patterns {
		out = append(out, glob(p))
	}

	return out
}

func glob(pattern string) *regexp.Regexp {
	var b strings.Builder

	b.WriteString(`(?s)\A`)

	for rest := pattern; rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")

			rest = strings.TrimLeft(rest, "*")
		case rest[0] == '*':
			b.WriteString("[^/]*")

			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString("[^/]")

			rest = rest[1:]
		default:
			end := strings.IndexAny(rest, "*?")
			if end < 0 {
				end = len(rest)
			}

			b.WriteString(regexp.QuoteMeta(rest[:end]))
			rest = rest[end:]
		}
	}

	// What is quoted always compiles, and so does what is between.
	return regexp.MustCompile(b.String() + `\z`)
}
