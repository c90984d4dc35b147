package servicespec_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/controllers/workload/guard"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestBuildComplete(t *testing.T) {
	in := completeInput(t)
	spec := build(t, in)
	if err := guard.Check(spec, factsOf(in)); err != nil {
		t.Error(err)
	}

	golden(t, "testdata/complete.golden", marshal(t, spec))
}

func marshal(t testing.TB, v any) string {
	t.Helper()

	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}

	return string(raw) + "\n"
}

func golden(t *testing.T, file, got string) {
	t.Helper()

	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s, -want +got:\n%s", file, diff)
	}
}
