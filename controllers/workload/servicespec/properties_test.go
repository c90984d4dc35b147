package servicespec_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/controllers/workload/guard"
	"github.com/dogker/dogker/controllers/workload/servicespec"
)

// TestGuardAgrees: whatever the schema lets pass is either refused by Build with the field's name, or let pass by the
// guard. Both must be common, or the test would prove nothing.
func TestGuardAgrees(t *testing.T) {
	built, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		if agree(r, inputs().Draw(r, "input")) {
			built++
		} else {
			refused++
		}
	})

	if built < refused || refused == 0 {
		t.Errorf("%d specs were built and %d refused: the generator has lost its balance", built, refused)
	}
}

// agree holds Build and guard against each other and is true when both let the input pass.
func agree(r *rapid.T, in servicespec.Input) bool {
	spec, err := servicespec.Build(in)
	if err != nil {
		var field *servicespec.FieldError
		if !errors.As(err, &field) || field.Field == "" || field.Problem == "" {
			r.Fatalf("Build: got %v, want a FieldError", err)
		}

		return false
	}
	if err := guard.Check(spec, factsOf(in)); err != nil {
		r.Fatalf("Build made what the guard refuses: %v", err)
	}

	return true
}

// FuzzBuildGuard lets the fuzzer steer the generator. Run it with -fuzzminimizetime 1x: a generator's input has no smaller
// form worth a minute of search.
func FuzzBuildGuard(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(r *rapid.T) { agree(r, inputs().Draw(r, "input")) }))
}

// buildable are inputs that Build takes.
func buildable() *rapid.Generator[servicespec.Input] {
	return inputs().Filter(func(in servicespec.Input) bool {
		_, err := servicespec.Build(in)

		return err == nil
	})
}

func TestNoDifferenceToWhatTheEngineAnswers(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec, _ := servicespec.Build(buildable().Draw(r, "input"))

		if changes := servicespec.Diff(readBack(r, spec), spec); len(changes) > 0 {
			r.Fatalf("a spec differs from its own answer: %s", changes)
		}
	})
}

func TestNormaliseTwiceIsNormaliseOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		spec, _ := servicespec.Build(buildable().Draw(r, "input"))
		answer := readBack(r, spec)

		before := throughJSON(r, answer)
		once := servicespec.Normalise(answer)
		if diff := cmp.Diff(before, throughJSON(r, answer)); diff != "" {
			r.Fatalf("Normalise changed its argument:\n%s", diff)
		}
		if diff := cmp.Diff(once, servicespec.Normalise(once)); diff != "" {
			r.Fatalf("Normalise is not idempotent:\n%s", diff)
		}
	})
}

// TestDiffMissesNothing: two inputs give the same spec, or a difference with words for it.
func TestDiffMissesNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		x, _ := servicespec.Build(buildable().Draw(r, "x"))
		y, _ := servicespec.Build(buildable().Draw(r, "y"))
		y.TaskTemplate.ForceUpdate = x.TaskTemplate.ForceUpdate

		changes := servicespec.Diff(x, y)
		same := cmp.Equal(servicespec.Normalise(x), servicespec.Normalise(y))
		if same != (len(changes) == 0) {
			r.Fatalf("specs are the same: %t, changes: %q", same, changes)
		}
		if !same && changes.String() == "" {
			r.Fatal("a difference without words")
		}
		if hash := v1alpha1.SwarmLabelSpecHash; same != (x.Labels[hash] == y.Labels[hash]) {
			r.Fatal("the hash does not tell the specs apart as the difference does")
		}
	})
}

func TestBuildIsDeterministic(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		in := buildable().Draw(r, "input")
		x, _ := servicespec.Build(in)
		in.Template = in.Template.DeepCopy()
		y, _ := servicespec.Build(in)

		if diff := cmp.Diff(x, y); diff != "" {
			r.Fatalf("one input, two specs:\n%s", diff)
		}
	})
}

func TestTemplateHashOfACopyIsTheSame(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		x := templates().Draw(r, "template")
		before := x.DeepCopy()
		hash := servicespec.TemplateHash(x, nil)

		if diff := cmp.Diff(before, x); diff != "" {
			r.Fatalf("TemplateHash changed its argument:\n%s", diff)
		}
		if again := servicespec.TemplateHash(before, map[string]string{}); again != hash {
			r.Fatalf("hash of a copy: got %q, want %q", again, hash)
		}
	})
}
