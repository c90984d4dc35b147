package servicespec_test

import (
	"encoding/json"
	"testing"

	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/reconciler/golden"
)

func TestBuildComplete(t *testing.T) {
	in := completeInput(t)
	spec := build(t, in)
	if err := guard.Check(spec, factsOf(in)); err != nil {
		t.Error(err)
	}

	golden.Check(t, "testdata/complete.golden", marshal(t, spec))
}

func marshal(t testing.TB, v any) string {
	t.Helper()

	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}

	return string(raw) + "\n"
}
