package notice

import (
	"strings"
	"unicode"
)

// phrase is what is said of a reason. Words in braces are keys of what is known; a clause in brackets is left out when one of
// its words is not known.
type phrase struct {
	subject, text string
}

// maxValue is how much of a value is shown, in characters.
const maxValue = 500

// fill puts what is known into a template.
func fill(template string, value func(key string) string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(template, "[")
		filled, _ := fillClause(before, value)
		out.WriteString(filled)
		if !found {
			return out.String()
		}
		clause, after, _ := strings.Cut(after, "]")
		if filled, complete := fillClause(clause, value); complete {
			out.WriteString(filled)
		}
		template = after
	}
}

// fillClause puts values in the place of their keys, and tells whether all of them are known.
func fillClause(text string, value func(key string) string) (filled string, complete bool) {
	complete = true
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "{")
		out.WriteString(before)
		if !found {
			return out.String(), complete
		}
		key, after, _ := strings.Cut(after, "}")
		v := value(key)
		complete = complete && v != ""
		out.WriteString(v)
		text = after
	}
}

// Line is a text of a tenant as one line, for wherever a line is wanted.
func Line(s string) string { return clean(s) }

// clean is a text of a tenant, or of an engine, as one line: without what ends lines, hides, or turns text around.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "�")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if runes := []rune(s); len(runes) > maxValue {
		s = string(runes[:maxValue]) + "…"
	}

	return s
}
