package apply

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// These are the forms in which server-side apply and strict decoding speak of a field. They are no form of Status, so that
// the field must be found in the sentence.
var (
	undeclared  = regexp.MustCompile(`(?:^|[ :])(\.[^ :]+): field not declared in schema|unknown field "([^"]+)"`)
	untyped     = regexp.MustCompile(`failed to create typed patch object \([^)]*\):(?: errors:)?\s+\.?([^ ]+): (?s:(.*))$`)
	unconverted = regexp.MustCompile(`failed to convert new object \([^)]*\) to proper version: unable to convert unstructured object to [^:]*: (?s:(.*))$`)
	// goValue is how a value of the wrong type is repeated.
	goValue = regexp.MustCompile(`, got &value\.valueUnstructured\{Value:(?s:.*?)\}`)
)

const (
	masked = "***"
	// leastMasked is the shortest value that can be taken out of a sentence and leave one.
	leastMasked = 4
)

// redact takes the values of a Secret out of what is said about it. The API repeats values of the wrong type.
func (it *item) redact(message string) string {
	if !isSecret(it.id) || it.object == nil {
		return message
	}

	var values []string

	for _, field := range []string{"data", "stringData"} {
		leaves(it.object.Object[field], func(v any) { values = append(values, fmt.Sprint(v)) })
	}

	values = append(values, it.plain...)
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })

	for _, v := range values {
		switch {
		case v == "" || !strings.Contains(message, v):
		case len(v) < leastMasked:
			return "the API refuses it; what it says is not shown, because it may hold a value"
		default:
			message = strings.ReplaceAll(message, v, masked)
		}
	}

	return message
}

// leaves calls f for everything in a value that is neither a map nor a list.
func leaves(v any, f func(any)) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		for _, x := range v {
			leaves(x, f)
		}
	case []any:
		for _, x := range v {
			leaves(x, f)
		}
	default:
		f(v)
	}
}
