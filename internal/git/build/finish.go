package build

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/substitute"
	"github.com/dogker/dogker/reconciler/source"
)

// identity is what an object is known by in a cluster.
type identity struct {
	group, kind, namespace, name string
}

// header is what of an object says that.
type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
}

// finish replaces variables and makes JSON of what was built.
func (b *builder) finish() ([]source.Object, error) {
	var (
		objects = make([]source.Object, 0, len(b.made))
		seen    = make(map[identity]made, len(b.made))
		bytes   int64
	)

	for _, m := range b.made {
		data, err := b.object(m)
		if err != nil {
			return nil, err
		}

		if bytes += int64(len(data)); bytes > b.limits.OutputBytes {
			return nil, m.fail(source.ReasonLimitExceeded, "", fmt.Sprintf("the objects are larger than %d bytes together", b.limits.OutputBytes))
		}

		id, err := m.identify(data)
		if err != nil {
			return nil, err
		}

		if before, twice := seen[id]; twice {
			return nil, m.fail(source.ReasonBuildFailed, "", fmt.Sprintf("%s %q is there twice: also in %s", id.kind, id.name, before.place()))
		}

		seen[id] = m
		objects = append(objects, source.Object{File: m.file, Line: m.line, JSON: data})
	}

	return objects, nil
}

// object is one as JSON.
func (b *builder) object(m made) ([]byte, error) {
	if b.request.Substitute != nil && !substitute.OptedOut(m.node) {
		if at, err := substitute.Object(m.node, b.request.Substitute); err != nil {
			// What kustomize has built has no lines; the object's is the next best.
			if m.doc.Node != nil {
				m.line = m.doc.LineOf(at)
			}

			return nil, m.fail(source.ReasonBuildFailed, "", err.Error())
		}
	}

	data, err := document.ToJSON(m.node)
	if err != nil {
		return nil, m.fail(source.ReasonBuildFailed, "", "cannot be an object: "+oneLine(err.Error()))
	}

	return data, nil
}

// identify reads the object as an API server would.
func (m made) identify(data []byte) (identity, error) {
	var h header
	if err := json.Unmarshal(data, &h); err != nil {
		return identity{}, m.fail(source.ReasonBuildFailed, "", "apiVersion, kind, metadata.name and metadata.namespace must be strings")
	}

	for field, value := range map[string]string{"apiVersion": h.APIVersion, "kind": h.Kind, "metadata.name": h.Metadata.Name} {
		if value == "" {
			return identity{}, m.fail(source.ReasonBuildFailed, field, "is required in every object")
		}
	}

	group, _, found := strings.Cut(h.APIVersion, "/")
	if !found {
		group = ""
	}

	return identity{group, h.Kind, h.Metadata.Namespace, h.Metadata.Name}, nil
}

// fail is an error of the object.
func (m made) fail(reason source.Reason, field, message string) error {
	return &source.Error{Reason: reason, File: m.file, Line: m.line, Field: field, Message: message}
}

// place is where the object is, for people.
func (m made) place() string {
	if m.line == 0 {
		return m.file
	}

	return fmt.Sprintf("%s:%d", m.file, m.line)
}

// oneLine keeps an error of a library to what fits a condition.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:299]) + "…"
	}

	return s
}
