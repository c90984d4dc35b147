package payment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxDepth of JSON that is looked at. What the gateway documents has a depth of four.
const maxDepth = 16

// object is a JSON object that is read leniently, as the gateway asks: unknown fields are passed over, missing ones and
// null are empty. A field of another type than documented is read as far as possible, and remembered by its name.
type object struct {
	fields map[string]json.RawMessage
	// malformed is shared with the objects inside.
	malformed *[]string
	path      string
}

// parseObject reads one JSON object and nothing after it.
func parseObject(raw []byte) (object, error) {
	if depth(raw) > maxDepth {
		return object{}, fmt.Errorf("parse JSON: it is nested more than %d deep", maxDepth)
	}

	o := object{malformed: new([]string)}
	d := json.NewDecoder(bytes.NewReader(raw))

	if err := d.Decode(&o.fields); err != nil {
		// The decoder's own words quote what it has read.
		return object{}, errors.New("parse JSON: it is not an object")
	}

	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return object{}, errors.New("parse JSON: something follows the object")
	}

	if o.fields == nil {
		return object{}, errors.New("parse JSON: it is null")
	}

	return o, nil
}

// depth is how deep brackets are nested outside strings. It says nothing about whether they match.
func depth(raw []byte) int {
	deepest, now := 0, 0
	inString, escaped := false, false

	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}', c == ']':
			now--
		}
	}

	return deepest
}

// text is a field that is documented as a string.
func (o object) text(name string) string {
	raw, ok := o.present(name)
	if !ok {
		return ""
	}

	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		o.note(name)
		return literal(raw)
	}

	return text
}

// loose is a field that is sent as a string or as a number, depending on whom one asks.
func (o object) loose(name string) string {
	raw, ok := o.present(name)
	if !ok {
		return ""
	}

	if c := raw[0]; c == '-' || c >= '0' && c <= '9' {
		return literal(raw)
	}

	return o.text(name)
}

// within is a field that is documented as an object; empty when it is not there.
func (o object) within(name string) object {
	inner := object{malformed: o.malformed, path: o.path + name + "."}

	if raw, ok := o.present(name); ok {
		if err := json.Unmarshal(raw, &inner.fields); err != nil {
			o.note(name)
		}
	}

	return inner
}

// list is a field that is documented as an array of objects.
func (o object) list(name string) []object {
	raw, ok := o.present(name)
	if !ok {
		return nil
	}

	var items []map[string]json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		o.note(name)
		return nil
	}

	inner := make([]object, len(items))
	for i, fields := range items {
		inner[i] = object{fields: fields, malformed: o.malformed, path: fmt.Sprintf("%s%s[%d].", o.path, name, i)}
	}

	return inner
}

// texts is a field that is documented as an array of strings.
func (o object) texts(name string) []string {
	raw, ok := o.present(name)
	if !ok {
		return nil
	}

	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil {
		o.note(name)
		return nil
	}

	return texts
}

// isObject is true when a field is there and an object. It is asked of fields whose content is anybody's.
func (o object) isObject(name string) bool {
	raw, ok := o.present(name)

	return ok && raw[0] == '{'
}

// present is the field unless it is missing or null. The decoder has taken the white space off.
func (o object) present(name string) (json.RawMessage, bool) {
	raw := bytes.TrimSpace(o.fields[name])
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, false
	}

	return raw, true
}

func (o object) note(name string) {
	if path := o.path + name; !slices.Contains(*o.malformed, path) {
		*o.malformed = append(*o.malformed, path)
	}
}

// literal is JSON as text, cut short.
func literal(raw []byte) string {
	const most = 64
	if len(raw) > most {
		return string(raw[:most])
	}

	return string(raw)
}
