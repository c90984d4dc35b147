package audit

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/golden"
)

// hostile is a cluster that has something of everything that a report can say.
func hostile(t *testing.T) Report {
	t.Helper()

	in := right(t)
	all(
		containerClaims["Socket"].change, containerClaims["KeyToTheNode"].change, containerClaims["WritableRoot"].change,
		containerClaims["NewPrivileges"].change, ruleClaims["PasswordInVariable"].change, ruleClaims["Root"].change,
		placeClaims["Unlocked"].change, func(in *Input) { in.Workloads[foreign].Elsewhere = []string{"node2", "node3"} },
	)(&in)

	return Evaluate(in, Options{})
}

// TestGolden holds the forms of a report against files that people can read. The JSON is what programs depend on.
func TestGolden(t *testing.T) {
	r := hostile(t)
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.Write(&text, Style{}); err != nil {
		t.Fatal(err)
	}

	for name, got := range map[string]string{"report.txt": text.String(), "report.json": string(raw) + "\n"} {
		golden.Check(t, filepath.Join("testdata", name), got)
	}
}

func TestColours(t *testing.T) {
	r := hostile(t)
	var plain, painted strings.Builder
	if err := errors.Join(r.Write(&plain, Style{}), r.Write(&painted, Style{Colour: true})); err != nil {
		t.Fatal(err)
	}

	if strings.Contains(plain.String(), "\x1b") {
		t.Error("a report without colours has escape sequences")
	}
	bare := painted.String()
	for _, c := range []string{red, yellow, green, faint, bold, reset} {
		bare = strings.ReplaceAll(bare, c, "")
	}
	if diff := cmp.Diff(plain.String(), bare); diff != "" {
		t.Errorf("with colours the report says something else:\n%s", diff)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteFails(t *testing.T) {
	if err := hostile(t).Write(brokenPipe{}, Style{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a report that nobody can read: got %v, want the error", err)
	}
}
