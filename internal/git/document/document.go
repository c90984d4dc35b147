package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	k8syaml "sigs.k8s.io/yaml"

	"github.com/dogker/dogker/reconciler/source"
)

// Document is one of a file.
type Document struct {
	// File it is in, and Line where its content begins there.
	File string
	Line int
	// Node is its content: a mapping, a sequence or a scalar. Lines of nodes are counted from the start of the document.
	Node *yaml.Node
	// offset is how many lines of the file are before it.
	offset int
}

// Parse reads all documents of a file that are not empty.
func Parse(file string, data []byte) ([]Document, error) {
	var docs []Document

	for _, part := range split(data) {
		var root yaml.Node

		d := yaml.NewDecoder(bytes.NewReader(part.text))
		if err := d.Decode(&root); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return nil, broken(file, part.offset, err)
		}

		var more yaml.Node
		if err := d.Decode(&more); err == nil {
			return nil, &source.Error{Reason: source.ReasonBuildFailed, File: file, Line: part.offset + more.Line, Message: `documents are separated by "---" alone`}
		} else if !errors.Is(err, io.EOF) {
			return nil, broken(file, part.offset, err)
		}

		if len(root.Content) == 0 || root.Content[0].ShortTag() == "!!null" && root.Content[0].Kind == yaml.ScalarNode {
			continue
		}

		doc := Document{File: file, Line: part.offset + root.Content[0].Line, Node: root.Content[0], offset: part.offset}
		if err := doc.guard(); err != nil {
			return nil, err
		}

		docs = append(docs, doc)
	}

	return docs, nil
}

// part is the text of one document.
type part struct {
	text   []byte
	offset int
}

// separator begins a document. It can be nowhere inside of one: not even in a text that is indented by nothing.
var separator = regexp.MustCompile(`(?m)^---(?:[ \t]|\r?$)`)

// split cuts a file into documents. What follows the dashes on their line belongs to the document.
func split(data []byte) []part {
	// Some editors begin a file with a mark that only says that it is UTF-8.
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))

	var parts []part

	from, offset := 0, 0

	for _, at := range separator.FindAllIndex(data, -1) {
		parts = append(parts, part{data[from:at[0]], offset})
		offset += bytes.Count(data[from:at[0]], []byte("\n"))
		from = at[0]
	}

	parts = append(parts, part{data[from:], offset})

	return parts
}

// lineIn finds the line in what the parser says.
var lineIn = regexp.MustCompile(`line (\d+): `)

// broken is an error of the parser, with its line as one of the file.
func broken(file string, offset int, err error) error {
	e := &source.Error{Reason: source.ReasonBuildFailed, File: file}
	text := strings.TrimPrefix(err.Error(), "yaml: ")

	if m := lineIn.FindStringSubmatchIndex(text); m != nil {
		if line, err := strconv.Atoi(text[m[2]:m[3]]); err == nil {
			e.Line = offset + line
		}

		text = text[:m[0]] + text[m[1]:]
	}

	e.Message = "is no valid YAML: " + shorten(text)

	return e
}

// shorten keeps what is quoted from a file from filling a condition.
func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if runes := []rune(s); len(runes) > 200 {
		return string(runes[:199]) + "…"
	}

	return s
}

// Errorf is an error at a node of the document; nil is the document itself.
func (d Document) Errorf(at *yaml.Node, field, format string, args ...any) *source.Error {
	e := &source.Error{Reason: source.ReasonBuildFailed, File: d.File, Line: d.Line, Field: field, Message: fmt.Sprintf(format, args...)}
	if at != nil && at.Line > 0 {
		e.Line = d.offset + at.Line
	}

	return e
}

// LineOf is the line of a node in the file.
func (d Document) LineOf(n *yaml.Node) int { return d.offset + n.Line }

// JSON is the document as JSON, with values as kubectl understands them.
func (d Document) JSON() ([]byte, error) {
	data, err := ToJSON(d.Node)
	if err != nil {
		return nil, d.Errorf(nil, "", "cannot be an object: %s", shorten(strings.TrimPrefix(err.Error(), "yaml: ")))
	}

	return data, nil
}

// ToJSON converts a node that has passed the guard.
func ToJSON(n *yaml.Node) ([]byte, error) {
	text, err := Text(n)
	if err != nil {
		return nil, err
	}

	return k8syaml.YAMLToJSONStrict(text)
}

// Text is a node as YAML.
func Text(n *yaml.Node) ([]byte, error) {
	var b bytes.Buffer

	e := yaml.NewEncoder(&b)
	e.SetIndent(2)

	if err := e.Encode(n); err != nil {
		return nil, err
	}

	if err := e.Close(); err != nil {
		return nil, err
	}

	return b.Bytes(), nil
}

// Field is the value of a key of a mapping, or nil.
func Field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}

	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}

	return nil
}
