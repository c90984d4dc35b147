package worker_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/internal/git/worker"
	"github.com/dogker/dogker/reconciler/source"
)

func TestWorkerLists(t *testing.T) {
	s := gittest.NewHTTP(t, nil)
	r := gittest.NewRepo(t, s.Root, "a")
	commit := r.Push(gittest.Files{"a": "1"})
	r.Ref("refs/pull/3/head", commit)

	p, dir := pool(t, worker.Options{}, worker.Command)
	ask := source.RefsRequest{
		Tenant: "t", URL: s.At("a"), Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true,
		Patterns: []source.RefPattern{"refs/heads/*", "refs/pull/*/head"},
	}

	got, err := p.Refs(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}

	want := source.Refs{Items: []source.Tip{{Name: "refs/heads/main", Commit: commit}, {Name: "refs/pull/3/head", Commit: commit}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	ask.AllowPrivateAddresses = false

	_, err = p.Refs(t.Context(), ask)

	var e *source.Error
	if !errors.As(err, &e) || e.Reason != source.ReasonAddressRefused {
		t.Errorf("an address inside: %v", err)
	}

	nothingLeft(t, dir)
}
