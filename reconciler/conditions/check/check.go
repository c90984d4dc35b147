package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/reconciler/conditions"
)

// Status reports every rule that the object's status breaks as an error of the test.
func Status(tb testing.TB, o conditions.Object) {
	tb.Helper()

	for _, problem := range Problems(o) {
		tb.Errorf("status: %s", problem)
	}
}

// Problems lists the rules that the object's status breaks, one sentence each.
func Problems(o conditions.Object) []string {
	var problems []string

	note := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	if observed, ok := o.(interface{ GetObservedGeneration() int64 }); ok {
		if g := observed.GetObservedGeneration(); g > o.GetGeneration() {
			note("observedGeneration %d is ahead of generation %d", g, o.GetGeneration())
		}
	}

	if conditions.Get(o, conditions.Ready) == nil {
		note("there is no condition Ready")
	}

	if conditions.IsTrue(o, conditions.Ready) && conditions.IsTrue(o, conditions.Stalled) {
		note("Ready and Stalled are both True")
	}

	if conditions.IsTrue(o, conditions.Reconciling) && conditions.IsTrue(o, conditions.Stalled) {
		note("Reconciling and Stalled are both True")
	}

	var seen []string

	for _, c := range o.GetConditions() {
		if slices.Contains(seen, c.Type) {
			note("condition %s is there twice", c.Type)
		}

		seen = append(seen, c.Type)

		for _, problem := range ofCondition(c, o.GetGeneration()) {
			note("condition %s: %s", c.Type, problem)
		}
	}

	return problems
}

var camelCase = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// ofCondition lists the rules that one condition breaks.
func ofCondition(c metav1.Condition, generation int64) []string {
	var problems []string

	note := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }

	if !camelCase.MatchString(c.Type) {
		note("type is not CamelCase")
	}

	if !camelCase.MatchString(c.Reason) {
		note("reason %q is not CamelCase", c.Reason)
	}

	if (c.Type == conditions.Reconciling || c.Type == conditions.Stalled) && c.Status != metav1.ConditionTrue {
		note("is there although it is %s", c.Status)
	}

	if !slices.Contains([]metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown}, c.Status) {
		note("status %q is none of True, False, Unknown", c.Status)
	}

	if c.ObservedGeneration > generation {
		note("observedGeneration %d is ahead of generation %d", c.ObservedGeneration, generation)
	}

	if c.LastTransitionTime.IsZero() {
		note("has no transition time")
	}

	if n := utf8.RuneCountInString(c.Message); n > conditions.MaxMessage {
		note("message has %d characters, at most %d are allowed", n, conditions.MaxMessage)
	}

	if c.Status != metav1.ConditionTrue && strings.TrimSpace(c.Message) == "" {
		note("has no message although something is wrong")
	}

	return append(problems, restless(c.Message)...)
}

// unstable are patterns of what changes from pass to pass although nothing has happened. A message with one of them makes
// every pass a write.
var unstable = map[string]*regexp.Regexp{
	"a time of day":       regexp.MustCompile(`\b\d{1,2}:\d{2}:\d{2}\b`),
	"a date":              regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}\b`),
	"an elapsed time":     regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|us|ms|s|m|h) (ago|elapsed|so far|left)\b`),
	"a number of tries":   regexp.MustCompile(`(?i)\b(attempt|retry|try) #?\d+\b|\b\d+ (attempts|retries|tries|times)\b`),
	"a memory address":    regexp.MustCompile(`\b0x[0-9a-f]{6,}\b`),
	"a request's ID":      regexp.MustCompile(`(?i)\b(request|reconcile|trace) ?id[ :=]+\S+`),
	"a UUID":              regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`),
	"a line end":          regexp.MustCompile(`[\r\n]`),
	"an engine's preface": regexp.MustCompile(`rpc error: code = `),
}

// restless lists what in a message changes by itself or is not meant for people.
func restless(message string) []string {
	var problems []string

	for what, pattern := range unstable {
		if found := pattern.FindString(message); found != "" {
			problems = append(problems, fmt.Sprintf("message holds %s (%q)", what, found))
		}
	}

	slices.Sort(problems)

	return problems
}
