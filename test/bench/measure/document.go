package measure

import (
	"fmt"
	"strings"
)

// Place puts the text into the document in place of what stands there under that name: between the lines
// `<!-- bench NAME -->` and `<!-- end NAME -->`.
func Place(document, name, text string) (string, error) {
	first, last := "<!-- bench "+name+" -->\n", "<!-- end "+name+" -->"

	before, rest, ok := strings.Cut(document, first)
	if !ok {
		return "", fmt.Errorf("place results: the document has no line %q", strings.TrimSpace(first))
	}
	_, after, ok := strings.Cut(rest, last)
	if !ok {
		return "", fmt.Errorf("place results: the document has no line %q", last)
	}

	return before + first + "\n" + strings.TrimSpace(text) + "\n\n" + last + after, nil
}
