package source_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/source"
)

func TestRefPatterns(t *testing.T) {
	for name, tc := range map[string]struct {
		reason  string
		pattern source.RefPattern
		ref     string
		want    string
		ok      bool
	}{
		"Branch":     {"What is below heads is a branch.", "refs/heads/*", "refs/heads/main", "main", true},
		"Slashes":    {"Branches have slashes.", "refs/heads/*", "refs/heads/a/b", "a/b", true},
		"Number":     {"Both ends count.", "refs/pull/*/head", "refs/pull/12/head", "12", true},
		"OtherEnd":   {"The merge of a pull request is not its head.", "refs/pull/*/head", "refs/pull/12/merge", "", false},
		"Nothing":    {"The * is never nothing.", "refs/heads/*", "refs/heads/", "", false},
		"Overlap":    {"Nor do the two ends share anything.", "refs/pull/*/head", "refs/pull/head", "", false},
		"OtherStart": {"Tags are no branches.", "refs/heads/*", "refs/tags/main", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := tc.pattern.Match(tc.ref); got != tc.want || ok != tc.ok {
				t.Errorf("%s\ngot %q, %t", tc.reason, got, ok)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	var all []source.Tip
	for n := range 30 {
		all = append(all, tip(fmt.Sprintf("refs/pull/%d/head", n)), tip(fmt.Sprintf("refs/pull/%d/merge", n)))
	}

	all = append(all, tip("refs/heads/main"), tip("refs/heads/a"), tip("refs/tags/v1"), tip("refs/pull/no-number/head"))

	got := source.RefsRequest{Patterns: []source.RefPattern{"refs/heads/*", "refs/pull/*/head", "refs/heads/m*"}, Max: 2}.Select(all)
	want := source.Refs{
		Items: []source.Tip{tip("refs/heads/a"), tip("refs/heads/main"), tip("refs/pull/28/head"), tip("refs/pull/29/head")},
		Cut:   []source.RefPattern{"refs/pull/*/head"},
	}

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the newest pull requests are kept, each reference is there once, and what was cut is said (-want +got):\n%s", diff)
	}

	if r := (source.RefsRequest{Max: 1 << 30}).OrDefault(); r.Max != source.DefaultMaxRefs || r.Limits != source.DefaultLimits {
		t.Errorf("there is a request without limits: %+v", r)
	}
}

func tip(name string) source.Tip {
	return source.Tip{Name: name, Commit: fmt.Sprintf("%040x", len(name))}
}
