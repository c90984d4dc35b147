package policy

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TestEveryFieldIsThoughtAbout: a field that is added to the API is refused in every tenant until a rule knows it, and
// this test says so to whoever adds it. What is listed and does not exist any more is found, too.
func TestEveryFieldIsThoughtAbout(t *testing.T) {
	there := map[string]bool{}
	walk(reflect.TypeFor[v1alpha1.TenantContainerSpec](), "", there)

	for path := range there {
		if fields[path] == "" {
			t.Errorf("spec.%s is in the API and in no rule: add it to fields, with the rule that judges it", path)
		}
	}
	for path := range fields {
		if !there[path] {
			t.Errorf("spec.%s is in fields and not in the API", path)
		}
	}
}

// TestRulesOfFieldsExist: what fields says judges a field is a row of the table.
func TestRulesOfFieldsExist(t *testing.T) {
	known := map[string]bool{"schema": true, "S4": true}
	for _, r := range rules {
		known[r.id] = true
	}
	for path, ids := range fields {
		if path == "rollbackTo" {
			continue
		}
		for id := range strings.SplitSeq(ids, ", ") {
			if !known[id] {
				t.Errorf("spec.%s is judged by %q, which is no rule", path, id)
			}
		}
	}
}

func walk(of reflect.Type, path string, out map[string]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice:
		walk(of.Elem(), path, out)
	case reflect.Struct:
		switch of { // They are one value in YAML.
		case reflect.TypeFor[resource.Quantity](), reflect.TypeFor[metav1.Duration](), reflect.TypeFor[intstr.IntOrString]():
			out[path] = true

			return
		}
		for f := range fieldsOf(of) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			full := name
			if path != "" {
				full = path + "." + name
			}
			walk(f.Type, full, out)
		}
	default:
		out[path] = true
	}
}

func fieldsOf(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range of.NumField() {
			if !yield(of.Field(i)) {
				return
			}
		}
	}
}
