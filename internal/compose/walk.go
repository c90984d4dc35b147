package compose

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// walk looks at every field below v that is set: it is converted by name, or the table says why not, or, in a version of
// Compose that this one does not know, it is reported as lost. pattern is the path with * for what people name. Extensions
// are handed to keep; without it they are left out, with a note.
func (c *converter) walk(v reflect.Value, path, pattern string, keep func(path, name string, value any)) {
	if converted[pattern] || !set(v) {
		return
	}
	if why, ok := tabled[pattern]; ok {
		c.find(why.kind, path, why.value(v), why.why, why.instead)
		return
	}

	switch v = reflect.Indirect(v); v.Kind() {
	case reflect.Struct:
		for f, name := range fieldsOf(v.Type()) {
			value := v.FieldByIndex(f.Index)
			if name == extensions {
				if converted[pattern+"."+extensions] {
					continue
				}
				c.extensions(path, value.Interface().(types.Extensions), keep)
				continue
			}
			c.walk(value, path+"."+name, pattern+"."+name, keep)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			c.walk(v.MapIndex(key), path+"."+key.String(), pattern+".*", keep)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.walk(v.Index(i), index(path, i), pattern+".*", keep)
		}
	default:
		c.lost(path, "", "it is not known here", "")
	}
}

func (c *converter) extensions(path string, have types.Extensions, keep func(path, name string, value any)) {
	for _, name := range sorted(have) {
		if keep == nil {
			c.note(path+"."+name, "", "it is an extension of something that is no object here, and is left out", "")
			continue
		}
		keep(path, name, have[name])
	}
}

// extensions is what compose-go calls the field that holds them.
const extensions = "#extensions"

// fieldsOf yields the fields of a struct of compose-go that stand in a file, with the names that they have there.
func fieldsOf(t reflect.Type) func(yield func(reflect.StructField, string) bool) {
	return func(yield func(reflect.StructField, string) bool) {
		for _, f := range reflect.VisibleFields(t) {
			tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if tag == "" && f.Name == "Extensions" {
				tag = extensions
			}
			if tag == "" && f.IsExported() && !f.Anonymous {
				tag = strings.ToLower(f.Name)
			}
			if f.Anonymous || !f.IsExported() || tag == "-" {
				continue
			}
			if !yield(f, tag) {
				return
			}
		}
	}
}

// set is true for what was written: something, or a pointer to whatever.
func set(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Map, reflect.Slice:
		return v.Len() > 0
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil()
	default:
		return !v.IsZero()
	}
}

// value of a field for a report: what is short and harmless.
func (r reason) value(v reflect.Value) string {
	v = reflect.Indirect(v)
	switch {
	case r.secret || !v.IsValid():
		return ""
	case v.Kind() == reflect.Struct, v.Kind() == reflect.Map:
		return ""
	case v.Kind() == reflect.Slice:
		raw, err := json.Marshal(v.Interface())
		if err != nil {
			return ""
		}
		return string(raw)
	default:
		return fmt.Sprint(v.Interface())
	}
}
