package setters

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

// key is what the comment of a marker holds.
const key = "$imagepolicy"

// mark is a place for an image.
type mark struct {
	node *yaml.Node
	// line is the one in the file, from 1; column is that of the node, in characters.
	line, column int
	want         string
}

// Apply is a file with the image in all places that are marked for it, what changed, and how many places there are. Data is
// returned as it is when nothing changes. Errors are *source.Error.
func Apply(file string, data []byte, image source.Image) (out []byte, changes []source.Change, markers int, err error) {
	// Most files have no marker, and many files that end in .yaml are no YAML.
	if !bytes.Contains(data, []byte(key)) {
		return data, nil, 0, nil
	}

	marks, err := find(file, data, image)
	if err != nil {
		return nil, nil, 0, err
	}

	lines := bytes.SplitAfter(data, []byte("\n"))

	// From the end of each line to its beginning, so that columns stay what they are.
	slices.SortStableFunc(marks, func(a, b mark) int { return b.column - a.column })

	for _, m := range marks {
		if m.node.Value == m.want {
			continue
		}

		if m.line > len(lines) {
			return nil, nil, 0, refused(file, m.line, "the value cannot be found")
		}

		line, ok := replace(lines[m.line-1], m)
		if !ok {
			return nil, nil, 0, refused(file, m.line, "the value that is marked must be on one line, without escapes")
		}

		lines[m.line-1] = line
		changes = append(changes, source.Change{File: file, Line: m.line, OldValue: m.node.Value, NewValue: m.want})
	}

	if len(changes) == 0 {
		return data, nil, len(marks), nil
	}

	slices.SortStableFunc(changes, func(a, b source.Change) int { return a.Line - b.Line })

	out = bytes.Join(lines, nil)
	if err := check(file, out, image, len(marks)); err != nil {
		return nil, nil, 0, err
	}

	return out, changes, len(marks), nil
}

// check reads what was written.
func check(file string, data []byte, image source.Image, markers int) error {
	again, err := find(file, data, image)
	if err != nil {
		return err
	}

	for _, m := range again {
		if m.node.Value != m.want {
			return refused(file, m.line, "the value that is marked cannot be replaced")
		}
	}

	if len(again) != markers {
		return refused(file, 0, "the values that are marked cannot be replaced")
	}

	return nil
}

func refused(file string, line int, message string) error {
	return &source.Error{Reason: source.ReasonBuildFailed, File: file, Line: line, Message: message}
}

// find lists the places of a file that are marked for an image.
func find(file string, data []byte, image source.Image) ([]mark, error) {
	docs, err := document.Parse(file, data)
	if err != nil {
		return nil, err
	}

	// The mark that some editors begin a file with is no character to the parser.
	shift := 0
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		shift = 1
	}

	var marks []mark

	for _, d := range docs {
		walk(d.Node, func(n *yaml.Node) {
			want, ok := wanted(n.LineComment, image)
			if !ok {
				return
			}

			m := mark{node: n, line: d.LineOf(n), column: n.Column, want: want}
			if m.line == 1 {
				m.column += shift
			}

			marks = append(marks, m)
		})
	}

	return marks, nil
}

// walk visits scalars. What an alias leads to is visited where it is.
func walk(n *yaml.Node, visit func(*yaml.Node)) {
	if n.Kind == yaml.ScalarNode {
		visit(n)
	}

	for _, child := range n.Content {
		walk(child, visit)
	}
}

// wanted is the value that a comment asks for, if it is a marker for the image.
func wanted(comment string, image source.Image) (string, bool) {
	text := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(comment), "#"))
	if !strings.HasPrefix(text, "{") {
		return "", false
	}

	var marker map[string]string
	if err := json.Unmarshal([]byte(text), &marker); err != nil {
		return "", false
	}

	part, ok := strings.CutPrefix(marker[key], image.Policy)
	if !ok {
		return "", false
	}

	switch part {
	case "":
		return image.Reference(), true
	case ":name":
		return image.Name, true
	case ":tag":
		return image.Tag, true
	case ":digest":
		return image.Digest, true
	default:
		return "", false
	}
}
