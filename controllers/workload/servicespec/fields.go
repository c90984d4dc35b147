package servicespec

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/docker/docker/api/types/swarm"
)

// Paths with a meaning of their own.
const (
	pathName     = "name"
	pathMode     = "mode"
	pathReplicas = "replicas"
	pathEnv      = "taskTemplate.containerSpec.env"
	pathMounts   = "taskTemplate.containerSpec.mounts"
)

// fieldsOf lists everything a normalised spec says, by path. It walks the type, so that no field of a newer engine can
// be forgotten.
func fieldsOf(spec swarm.ServiceSpec) map[string]string {
	f := fields{}

	f[pathMode] = modeName(spec.Mode)
	if r := spec.Mode.Replicated; r != nil {
		f[pathReplicas] = fmt.Sprint(*r.Replicas)
	}
	// The other modes are not ours. What is in them does not matter before the mode itself is right.
	spec.Mode = swarm.ServiceMode{}

	f.add("", reflect.ValueOf(spec))

	return f
}

func modeName(m swarm.ServiceMode) string {
	switch {
	case m.Global != nil:
		return "Global"
	case m.ReplicatedJob != nil:
		return "ReplicatedJob"
	case m.GlobalJob != nil:
		return "GlobalJob"
	default:
		return "Replicated"
	}
}

type fields map[string]string

func (f fields) add(path string, v reflect.Value) {
	switch value := v.Interface().(type) {
	case time.Duration:
		f[path] = value.String()

		return
	case os.FileMode:
		f[path] = fmt.Sprintf("%04o", uint32(value))

		return
	}

	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		f.add(path, v.Elem())
		// A pointer to nothing but zeros still says something, such as init: false.
		if v.Elem().Kind() == reflect.Struct && v.Elem().IsZero() {
			f[path] = "{}"
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.Anonymous {
				f.add(path, v.Field(i))

				continue
			}
			if !v.Field(i).IsZero() {
				f.add(join(path, lowerFirst(field.Name)), v.Field(i))
			}
		}
	case reflect.Map:
		for key, member := range v.Seq2() {
			f.add(fmt.Sprintf("%s[%v]", path, key), member)
		}
	case reflect.Slice:
		f.addList(path, v)
	default:
		f[path] = fmt.Sprint(v.Interface())
	}
}

// addList shows variables by name, other lists of words as one value, and lists of structs by what tells their elements
// apart.
func (f fields) addList(path string, v reflect.Value) {
	if path == pathEnv {
		for i := range v.Len() {
			name, value, _ := strings.Cut(v.Index(i).String(), "=")
			f[f.free(path+"["+name+"]")] = value
		}

		return
	}
	if v.Type().Elem().Kind() == reflect.String {
		words := make([]string, v.Len())
		for i := range words {
			words[i] = word(v.Index(i).String())
		}
		f[path] = "[" + strings.Join(words, " ") + "]"

		return
	}

	for i := range v.Len() {
		f.add(fmt.Sprintf("%s[%s]", path, elementKey(v.Index(i), i)), v.Index(i))
	}
}

// free is a path that nothing is at yet: of two variables with one name, both are shown.
func (f fields) free(path string) string {
	for {
		if _, taken := f[path]; !taken {
			return path
		}
		path += "'"
	}
}

// elementKey tells the elements of a list apart.
func elementKey(v reflect.Value, i int) string {
	v = reflect.Indirect(v)
	if v.Kind() == reflect.Struct {
		for _, name := range []string{"Target", "File", "Name"} {
			field := v.FieldByName(name)
			if name == "File" && field.IsValid() && !field.IsNil() {
				field = field.Elem().FieldByName("Name")
			}
			if field.IsValid() && field.Kind() == reflect.String && strings.HasPrefix(field.String(), "/") {
				return field.String()
			}
		}
	}

	return fmt.Sprint(i)
}

// word is s as one word of a list: quoted when it would not read as one.
func word(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", s)
	}

	return s
}

// name is a path as people know it: the parts that every field has are left out.
func name(path string) string {
	path = strings.TrimPrefix(path, "taskTemplate.")
	path = strings.TrimPrefix(path, "containerSpec.")

	return strings.TrimPrefix(path, "endpointSpec.")
}

// maxValueText is how much of a value is shown, in bytes.
const maxValueText = 120

var digest = regexp.MustCompile(`@sha256:[0-9a-f]{64}`)

// shorten cuts a value for people. Digests are cut to what engines show of an ID.
func shorten(value string) string {
	value = digest.ReplaceAllStringFunc(value, func(d string) string { return d[:len("@sha256:")+12] })
	if len(value) <= maxValueText {
		return value
	}

	cut := maxValueText
	for !utf8.RuneStart(value[cut]) {
		cut--
	}

	return value[:cut] + "…"
}

func join(path, name string) string {
	if path == "" {
		return name
	}

	return path + "." + name
}

// lowerFirst spells a field of Docker's types as the API spells fields.
func lowerFirst(name string) string {
	upper := 0
	for upper < len(name) && name[upper] >= 'A' && name[upper] <= 'Z' {
		upper++
	}
	// The last capital of several begins the next word, as in CPUShares; alone or all, there is none.
	if upper > 1 && upper < len(name) {
		upper--
	}

	return strings.ToLower(name[:upper]) + name[upper:]
}
