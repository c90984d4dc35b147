package gate_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/gate"
)

func TestChainAdmit(t *testing.T) {
	errOdd, errBig := errors.New("odd"), errors.New("big")

	even := func(n int) error {
		if n%2 != 0 {
			return errOdd
		}

		return nil
	}
	small := func(n int) error {
		if n > 10 {
			return errBig
		}

		return nil
	}

	cases := map[string]struct {
		reason  string
		chain   gate.Chain[int]
		subject int
		want    error
	}{
		"EmptyAdmits":       {reason: "No rule, no refusal.", subject: 13},
		"AllPass":           {reason: "A subject that breaks no rule is admitted.", chain: gate.Chain[int]{even, small}, subject: 4},
		"FirstRefusalWins":  {reason: "The order is the specification.", chain: gate.Chain[int]{even, small}, subject: 13, want: errOdd},
		"OrderCanBeSwapped": {reason: "The order is the specification.", chain: gate.Chain[int]{small, even}, subject: 13, want: errBig},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.chain.Admit(tc.subject); !errors.Is(got, tc.want) {
				t.Errorf("%s\nAdmit(%d) = %v, want %v", tc.reason, tc.subject, got, tc.want)
			}
		})
	}
}

func TestFoldApply(t *testing.T) {
	type object struct{ replicas, wish int }

	spec := func(o object, _ int) int { return o.replicas }
	wish := func(o object, n int) int { return max(n, o.wish) }

	got := gate.Fold[object, int]{spec, wish}.Apply(object{replicas: 2, wish: 5}, 0)
	if diff := cmp.Diff(5, got); diff != "" {
		t.Errorf("the last step has the last word (-want +got):\n%s", diff)
	}
}
