package worker

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/dogker/dogker/reconciler/source"
)

// TestListsThatAreNone: a worker that a hostile server controls can say what it likes; what is no list of what was asked for is
// no answer.
func TestListsThatAreNone(t *testing.T) {
	commit := strings.Repeat("a", 40)
	tips := func(items ...source.Tip) *source.Refs { return &source.Refs{Items: items} }

	for name, tc := range map[string]struct {
		reason string
		say    line
		ok     bool
	}{
		"Good":     {"This is an answer.", line{Refs: tips(source.Tip{Name: "refs/heads/a", Commit: commit})}, true},
		"Empty":    {"So is nothing that matches.", line{Refs: tips()}, true},
		"Unasked":  {"Tags were not asked for.", line{Refs: tips(source.Tip{Name: "refs/tags/a", Commit: commit})}, false},
		"NoCommit": {"A commit has a hash.", line{Refs: tips(source.Tip{Name: "refs/heads/a", Commit: "$(id)"})}, false},
		"Control":  {"Names end up in terminals.", line{Refs: tips(source.Tip{Name: "refs/heads/\x1b[2J", Commit: commit})}, false},
		"Twice":    {"A reference has one commit.", line{Refs: tips(source.Tip{Name: "refs/heads/a", Commit: commit}, source.Tip{Name: "refs/heads/a", Commit: commit})}, false},
		"TooMany": {"There was a limit.", line{Refs: tips(source.Tip{Name: "refs/heads/a", Commit: commit},
			source.Tip{Name: "refs/heads/b", Commit: commit}, source.Tip{Name: "refs/heads/c", Commit: commit})}, false},
		"Build": {"A build is no list.", line{Built: &source.Built{}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			if err := json.NewEncoder(&said).Encode(tc.say); err != nil {
				t.Fatal(err)
			}

			_, err := listed(json.NewDecoder(&said), source.RefsRequest{Patterns: []source.RefPattern{"refs/heads/*"}, Max: 2})
			if tc.ok != (err == nil) || err != nil && !errors.Is(err, errAnswer) {
				t.Errorf("%s\ngot %v", tc.reason, err)
			}
		})
	}

	said := `{"error":{"reason":"Timeout!","message":"a\u001bb"}}`

	_, err := listed(json.NewDecoder(strings.NewReader(said)), source.RefsRequest{})

	var e *source.Error
	if !errors.As(err, &e) || e.Reason != source.ReasonTimeout || e.Message != "ab" {
		t.Errorf("got %#v", err)
	}
}
