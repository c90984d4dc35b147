package compose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/dogker/dogker/internal/yamltext"
)

// WriteYAML writes the objects as YAML documents, in the order to apply them.
func (r Result) WriteYAML(w io.Writer) error {
	var objects []any
	for _, m := range r.ConfigMaps {
		objects = append(objects, m)
	}
	for _, s := range r.Secrets {
		objects = append(objects, s)
	}
	for _, v := range r.Volumes {
		objects = append(objects, v)
	}
	for _, tc := range r.Containers {
		objects = append(objects, tc)
	}

	var out bytes.Buffer
	for i, object := range objects {
		if i > 0 {
			out.WriteString("---\n")
		}
		text, err := document(object)
		if err != nil {
			return fmt.Errorf("write object %d as YAML: %w", i, err)
		}
		out.Write(text)
	}
	_, err := w.Write(out.Bytes())

	return err
}

// document is an object without what only servers write.
func document(object any) ([]byte, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	delete(fields, "status")
	if metadata, ok := fields["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
	}

	return yamltext.Marshal(fields)
}
