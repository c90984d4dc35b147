package v1alpha1_test

import (
	"encoding/json"
	"testing"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestEmptyPlanSaysNothing: a client in Go that leaves a default out must not ask for none of it.
func TestEmptyPlanSaysNothing(t *testing.T) {
	got, err := json.Marshal(v1alpha1.PlanSpec{})
	if err != nil {
		t.Fatal(err)
	}

	if want := `{}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
