package fetch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/source"
)

func TestListAsARealServer(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	first, second, third := history(gittest.NewRepo(t, s.Root, "a"))
	gittest.NewRepo(t, s.Root, "empty")

	list := func(name string) (source.Refs, error) {
		return fetch.List(t.Context(), source.RefsRequest{
			URL: s.At(name), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true,
			Patterns: []source.RefPattern{"refs/heads/*", "refs/pull/*/head", "refs/tags/v1.2.*"},
		}, t.TempDir())
	}

	got, err := list("a")
	if err != nil {
		t.Fatal(err)
	}

	want := source.Refs{Items: []source.Tip{
		{Name: "refs/heads/main", Commit: third}, {Name: "refs/heads/old", Commit: first},
		{Name: "refs/pull/7/head", Commit: second}, {Name: "refs/tags/v1.2.0", Commit: second},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	for name, reason := range map[string]source.Reason{"empty": source.ReasonReferenceNotFound, "none": source.ReasonGitOperationFailed} {
		if _, err := list(name); err == nil {
			t.Errorf("%s: a server that has nothing is believed to have nothing", name)
		} else if got, text := reasonOf(err); got != reason {
			t.Errorf("%s: got %s: %s", name, got, text)
		}
	}

	_, err = fetch.List(t.Context(), source.RefsRequest{URL: s.At("a"), Auth: source.Auth{CAFile: s.CA()}}, t.TempDir())
	if got, text := reasonOf(err); got != source.ReasonAddressRefused {
		t.Errorf("an address inside: %s: %s", got, text)
	}
}

// TestListOfHostileNames: names that a server may say and Git would not take are not passed on, and 30,000 branches are a list
// like any other.
func TestListOfHostileNames(t *testing.T) {
	s := gittest.NewStatic(t)
	r := s.Repo("hostile")
	commit := r.Push(gittest.Files{"a": "1"})

	for _, name := range []string{
		"refs/heads/-x", "refs/heads/a/-x", "refs/heads/../../etc/passwd", "refs/heads/a..b", "refs/heads/a.lock", "refs/heads/.hidden",
		"refs/heads/" + strings.Repeat("l", 250), "refs/heads/tab\there", "refs/heads/esc\x1b[2J", "refs/heads/a~1", "refs/heads/@{-1}",
		"refs/heads/a\\b", "refs/heads/a//b", "refs/heads/ok", "refs/heads/ütf", "heads/elsewhere", "refs/heads/*",
	} {
		r.Ref(name, commit)
	}

	for n := range 30_000 {
		r.Ref(fmt.Sprintf("refs/heads/n/%05d", n), commit)
	}

	ask := source.RefsRequest{URL: s.At("hostile"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Patterns: []source.RefPattern{"refs/heads/*"}}

	got, err := fetch.List(t.Context(), ask, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	if len(got.Items) != source.DefaultMaxRefs || len(got.Cut) != 1 {
		t.Errorf("listed %d, cut %v", len(got.Items), got.Cut)
	}

	ask.Patterns = []source.RefPattern{"refs/heads/n/0000*"}
	for n := range 10 {
		r.Ref(fmt.Sprintf("refs/heads/x%d", n), commit)
	}

	if got, err = fetch.List(t.Context(), ask, t.TempDir()); err != nil || len(got.Items) != 10 || len(got.Cut) > 0 {
		t.Errorf("listed %d, cut %v: %v", len(got.Items), got.Cut, err)
	}

	quiet := s.Repo("names")
	commit = quiet.Push(gittest.Files{"a": "1"})
	quiet.Ref("refs/heads/-x", commit)
	quiet.Ref("refs/heads/../up", commit)
	quiet.Ref("refs/heads/ütf", commit)
	quiet.Ref("refs/heads/"+strings.Repeat("l", 250), commit)

	ask.URL, ask.Patterns = s.At("names"), []source.RefPattern{"refs/heads/*"}

	got, err = fetch.List(t.Context(), ask, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}

	want := []source.Tip{{Name: "refs/heads/main", Commit: commit}, {Name: "refs/heads/ütf", Commit: commit}}
	if diff := cmp.Diff(want, got.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
