package check_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions/check"
)

func TestProblems(t *testing.T) {
	good := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Running", ObservedGeneration: 2, LastTransitionTime: metav1.Now()}
	with := func(change func(*metav1.Condition)) metav1.Condition {
		c := good
		change(&c)

		return c
	}
	message := func(text string) []metav1.Condition {
		return []metav1.Condition{with(func(c *metav1.Condition) { c.Message = text })}
	}

	cases := map[string]struct {
		reason     string
		observed   int64
		conditions []metav1.Condition
		want       []string
	}{
		"Good":         {reason: "A status that breaks no rule is silent.", observed: 2, conditions: []metav1.Condition{good}},
		"NoReady":      {reason: "Ready is always there.", want: []string{"there is no condition Ready"}},
		"ObservedLate": {reason: "Nobody can have seen what is not written yet.", observed: 3, conditions: []metav1.Condition{good}, want: []string{"observedGeneration 3 is ahead of generation 2"}},
		"StalledFalse": {
			reason:     "Stalled exists only while True.",
			conditions: []metav1.Condition{good, with(func(c *metav1.Condition) { c.Type, c.Status, c.Message = "Stalled", "False", "no" })},
			want:       []string{"condition Stalled: is there although it is False"},
		},
		"ReadyAndStalled": {
			reason:     "What is stalled is not ready.",
			conditions: []metav1.Condition{good, with(func(c *metav1.Condition) { c.Type = "Stalled" })},
			want:       []string{"Ready and Stalled are both True"},
		},
		"Twice":       {reason: "Conditions are a map.", conditions: []metav1.Condition{good, good}, want: []string{"condition Ready is there twice"}},
		"SpacedOut":   {reason: "Reasons are words for machines.", conditions: []metav1.Condition{with(func(c *metav1.Condition) { c.Reason = "not so" })}, want: []string{`condition Ready: reason "not so" is not CamelCase`}},
		"Silent":      {reason: "A problem without a sentence helps nobody.", conditions: []metav1.Condition{with(func(c *metav1.Condition) { c.Status = "False" })}, want: []string{"condition Ready: has no message although something is wrong"}},
		"Clock":       {reason: "A time makes every pass a write.", conditions: message("failed at 12:00:01"), want: []string{`condition Ready: message holds a time of day ("12:00:01")`}},
		"Counter":     {reason: "A counter makes every pass a write.", conditions: message("failed 7 times"), want: []string{`condition Ready: message holds a number of tries ("7 times")`}},
		"EnginePrefx": {reason: "What the engine's transport says is no answer to why.", conditions: message("rpc error: code = Unknown desc = x"), want: []string{`condition Ready: message holds an engine's preface ("rpc error: code = ")`}},
		"TooLong":     {reason: "Nobody reads it.", conditions: message(strings.Repeat("x", 1025)), want: []string{"condition Ready: message has 1025 characters, at most 1024 are allowed"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := &v1alpha1.TenantContainer{ObjectMeta: metav1.ObjectMeta{Generation: 2}}
			object.Status.ObservedGeneration = tc.observed
			object.Status.Conditions = tc.conditions

			if diff := cmp.Diff(tc.want, check.Problems(object)); diff != "" {
				t.Errorf("%s\nProblems() (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
