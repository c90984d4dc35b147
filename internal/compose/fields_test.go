package compose

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// TestEveryFieldIsThoughtAbout holds the two lists of fields against the types of compose-go: what a new version brings is
// neither converted nor explained until somebody has thought about it.
func TestEveryFieldIsThoughtAbout(t *testing.T) {
	known := fieldPaths()
	for _, path := range known {
		_, explained := tabled[path]
		if !converted[path] && !explained {
			t.Errorf("%s is neither converted nor explained", path)
		}
		if converted[path] && explained {
			t.Errorf("%s is both converted and explained", path)
		}
	}
	for path := range converted {
		if !slices.Contains(known, path) && !strings.HasSuffix(path, extensions) {
			t.Errorf("%s is converted, and Compose has no such field", path)
		}
	}
	for path := range tabled {
		if !slices.Contains(known, path) {
			t.Errorf("%s is explained, and Compose has no such field", path)
		}
	}
}

// TestReasonsSayWhatToDo holds the table to what a reader needs.
func TestReasonsSayWhatToDo(t *testing.T) {
	for path, r := range tabled {
		if r.why == "" || r.kind == "" {
			t.Errorf("%s has no reason", path)
		}
		for _, text := range []string{r.why, r.instead} {
			if strings.HasSuffix(text, ".") || strings.Contains(text, "\n") {
				t.Errorf("%s: %q is a clause in a line", path, text)
			}
		}
	}
}

// fieldPaths are the paths that walk would come by if everything were set.
func fieldPaths() []string {
	var out []string
	var visit func(t reflect.Type, path string)
	visit = func(t reflect.Type, path string) {
		if _, explained := tabled[path]; converted[path] || explained {
			out = append(out, path)
			return
		}
		switch t.Kind() {
		case reflect.Pointer:
			visit(t.Elem(), path)
		case reflect.Map, reflect.Slice:
			visit(t.Elem(), path+".*")
		case reflect.Struct:
			for f, name := range fieldsOf(t) {
				if name != extensions {
					visit(f.Type, path+"."+name)
				}
			}
		default:
			out = append(out, path)
		}
	}
	for name, part := range map[string]any{
		"services": types.Services{}, "jobs": types.Jobs{}, "models": types.Models{}, "networks": types.Networks{},
		"volumes": types.Volumes{}, "configs": types.Configs{}, "secrets": types.Secrets{},
	} {
		visit(reflect.TypeOf(part), name)
	}
	slices.Sort(out)

	return slices.Compact(out)
}

// TestUnknownFieldsAreReported is about a Compose that this version of ours has never seen.
func TestUnknownFieldsAreReported(t *testing.T) {
	type future struct {
		Warp int `yaml:"warp"`
	}
	c := &converter{}
	c.walk(reflect.ValueOf(map[string]future{"web": {Warp: 9}}), "services", "services", nil)
	if len(c.result.Findings) != 1 || c.result.Findings[0].Path != "services.web.warp" || c.result.Findings[0].Kind != Lost {
		t.Errorf("got %v, want services.web.warp to be lost", c.result.Findings)
	}
}
