package gate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/gate"
)

func TestFoldApply(t *testing.T) {
	type object struct{ replicas, wish int }

	spec := func(o object, _ int) int { return o.replicas }
	wish := func(o object, n int) int { return max(n, o.wish) }

	got := gate.Fold[object, int]{spec, wish}.Apply(object{replicas: 2, wish: 5}, 0)
	if diff := cmp.Diff(5, got); diff != "" {
		t.Errorf("the last step has the last word (-want +got):\n%s", diff)
	}
}
