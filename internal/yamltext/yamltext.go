// Package yamltext writes YAML that people commit and apply: objects as sigs.k8s.io/yaml writes them, whatever their strings
// hold. It is called by the commands that write manifests, and imports nothing of ours.
package yamltext

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// Marshal is a value as YAML, with the names of its fields in JSON. It can be read back as the same value, also where a string
// has control characters or ends of lines that YAML takes only as escapes, and JSON as they are.
func Marshal(value any) ([]byte, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}

	text, err := yaml.JSONToYAML([]byte(escaped(raw)))
	if err != nil {
		return nil, fmt.Errorf("write as YAML: %w", err)
	}

	return text, nil
}

// escaped is JSON in which the characters have escapes that YAML does not take as they are. They can only be in strings.
func escaped(raw []byte) string {
	var b strings.Builder

	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.Write(raw[:size])
		}

		raw = raw[size:]
	}

	return b.String()
}
