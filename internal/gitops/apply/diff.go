package apply

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/dogker/dogker/reconciler/delivery"
	"github.com/dogker/dogker/reconciler/inventory"
)

const (
	// maxDifferences and maxValue keep an event readable.
	maxDifferences = 20
	maxValue       = 64
)

// differences lists what makes two states of an object different: all but its status and what the API decides about.
func differences(id inventory.ID, live, want *unstructured.Unstructured) []delivery.Difference {
	c := comparer{secret: isSecret(id), content: isSecret(id) || id.Group == "" && id.Kind == "ConfigMap"}
	c.compare("", counted(live), counted(want))

	return c.found
}

// counted is what counts of an object.
func counted(u *unstructured.Unstructured) map[string]any {
	out := maps.Clone(u.Object)
	delete(out, "status")

	metadata, _ := out["metadata"].(map[string]any)
	kept := map[string]any{}

	for _, field := range []string{"labels", "annotations", "ownerReferences", "finalizers"} {
		if v, ok := metadata[field]; ok {
			kept[field] = v
		}
	}

	out["metadata"] = kept

	return out
}

type comparer struct {
	// secret is true for objects of whose values none is shown, content for those of whose data only the keys are.
	secret, content bool
	found           []delivery.Difference
}

func (c *comparer) compare(path string, from, to any) {
	if reflect.DeepEqual(from, to) || empty(from) && empty(to) {
		return
	}

	fromMap, okFrom := from.(map[string]any)
	toMap, okTo := to.(map[string]any)

	if (okFrom || from == nil) && (okTo || to == nil) && (okFrom || okTo) {
		for _, name := range keys(fromMap, toMap) {
			c.compare(join(path, name), fromMap[name], toMap[name])
		}

		return
	}

	fromList, okFrom := named(from)
	toList, okTo := named(to)

	if (okFrom || from == nil) && (okTo || to == nil) && (okFrom || okTo) {
		before := len(c.found)
		for _, name := range keys(fromList, toList) {
			c.compare(path+"["+name+"]", fromList[name], toList[name])
		}

		if len(c.found) > before {
			return
		}
	}

	c.add(path, from, to)
}

// add keeps what fits, and hides what may be secret.
func (c *comparer) add(path string, from, to any) {
	if len(c.found) >= maxDifferences {
		return
	}

	d := delivery.Difference{Path: path, From: text(from), To: text(to)}

	switch {
	case c.content && content.MatchString(path):
		d.From, d.To = "", ""
	case c.secret || confidential.MatchString(path):
		d.From, d.To = hide(d.From), hide(d.To)
	}

	c.found = append(c.found, d)
}

// content are the paths of what ConfigMaps and Secrets are there for.
var content = regexp.MustCompile(`^(data|binaryData|stringData)($|[.\[])`)

// confidential are paths whose values are often secret, though they should not be: variables, arguments, and whatever calls
// itself so.
var confidential = regexp.MustCompile(`(?i)(^|\.)env(\[|$)|\.(args|command)($|\[|\.)|annotations|pass|secret|token|credential|private`)

func hide(s string) string {
	if s == "" {
		return ""
	}

	return masked
}

func text(v any) string {
	if v == nil {
		return ""
	}

	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}

	if s := []rune(string(raw)); len(s) > maxValue {
		return string(s[:maxValue-1]) + "…"
	}

	return string(raw)
}

// named is a list whose items all have a name of their own, by that name.
func named(v any) (map[string]any, bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}

	out := make(map[string]any, len(list))

	for _, item := range list {
		m, _ := item.(map[string]any)

		name, ok := m["name"].(string)
		if _, twice := out[name]; !ok || twice {
			return nil, false
		}

		out[name] = item
	}

	return out, true
}

func keys(a, b map[string]any) []string {
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, m := range []map[string]any{a, b} {
			for k := range m {
				if !yield(k) {
					return
				}
			}
		}
	}))
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}

	return false
}

func join(path, name string) string {
	if path == "" {
		return name
	}

	if strings.ContainsAny(name, "./") {
		return fmt.Sprintf("%s[%s]", path, name)
	}

	return path + "." + name
}
