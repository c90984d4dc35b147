package setters

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// replace puts another value into a line. It is false for a value that does not begin and end in the line as it is.
func replace(line []byte, m mark) ([]byte, bool) {
	at, ok := offset(line, m.column)
	if !ok {
		return nil, false
	}

	at += properties(line[at:])
	rest, old := line[at:], []byte(m.node.Value)

	var token, value []byte

	switch m.node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle:
		token, value = quoted(old, '"'), quoted([]byte(m.want), '"')
	case yaml.SingleQuotedStyle:
		token, value = quoted(old, '\''), quoted([]byte(m.want), '\'')
	case 0:
		token, value = old, plain(m.want)
	default:
		return nil, false
	}

	if !bytes.HasPrefix(rest, token) || len(token) == 0 {
		return nil, false
	}

	out := make([]byte, 0, len(line)+len(value)-len(token))
	out = append(out, line[:at]...)
	out = append(out, value...)

	return append(out, rest[len(token):]...), true
}

// offset is where a column is, which is counted in characters from 1.
func offset(line []byte, column int) (int, bool) {
	n := 1
	for i := range string(line) {
		if n == column {
			return i, true
		}

		n++
	}

	return 0, false
}

// properties is how much of a node is before its value: an anchor, a tag.
func properties(text []byte) int {
	at := 0

	for at < len(text) && (text[at] == '&' || text[at] == '!') {
		end := bytes.IndexAny(text[at:], " \t")
		if end < 0 {
			return at
		}

		at += end
		at += len(text[at:]) - len(bytes.TrimLeft(text[at:], " \t"))
	}

	return at
}

func quoted(value []byte, quote byte) []byte {
	return append(append([]byte{quote}, value...), quote)
}

// plain is a value as it can stand without quotes, or with some where it would not be text: 1.20 would be 1.2.
func plain(value string) []byte {
	n := yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if n.ShortTag() == "!!str" {
		return []byte(value)
	}

	return quoted([]byte(value), '"')
}
