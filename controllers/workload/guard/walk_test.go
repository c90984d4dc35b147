package guard

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
)

// place is one field of Docker's type: its path, and how to set it in an otherwise safe spec.
type place struct {
	path string
	set  func(root reflect.Value, to func(reflect.Value))
}

// placesOf walks the type, not a value, so that fields which nothing sets yet are among its places.
func placesOf(path string, typ reflect.Type, reach func(reflect.Value) reflect.Value) []place {
	here := place{path: path, set: func(root reflect.Value, to func(reflect.Value)) { to(reach(root)) }}

	switch typ.Kind() {
	case reflect.Pointer:
		return placesOf(path, typ.Elem(), func(root reflect.Value) reflect.Value {
			v := reach(root)
			if v.IsNil() {
				v.Set(reflect.New(typ.Elem()))
			}

			return v.Elem()
		})
	case reflect.Struct:
		var out []place
		for i := range typ.NumField() {
			name := join(path, typ.Field(i).Name)
			if typ.Field(i).Anonymous {
				name = path
			}
			out = append(out, placesOf(name, typ.Field(i).Type, func(root reflect.Value) reflect.Value { return reach(root).Field(i) })...)
		}
		if len(out) == 0 {
			out = append(out, here)
		}

		return out
	case reflect.Slice:
		return placesOf(path+"[]", typ.Elem(), func(root reflect.Value) reflect.Value {
			v := reach(root)
			if v.Len() == 0 {
				v.Set(reflect.MakeSlice(typ, 1, 1))
			}

			return v.Index(0)
		})
	case reflect.Map:
		return []place{{path: path + "{}", set: here.set}}
	default:
		return []place{here}
	}
}

func places() []place {
	return placesOf("", reflect.TypeFor[swarm.ServiceSpec](), func(root reflect.Value) reflect.Value { return root })
}

// put sets a place in a safe spec.
func (p place) put(to func(reflect.Value)) swarm.ServiceSpec {
	spec := safe()
	p.set(reflect.ValueOf(&spec).Elem(), to)

	return spec
}

// notZero is any value but nothing.
func notZero(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v").Convert(v.Type().Elem()))
	case reflect.Struct:
	default:
		v.Set(reflect.ValueOf(1).Convert(v.Type()))
	}
}

// TestEveryUnlistedFieldIsRefused sets each field of Docker's type that has no rule, one at a time. A field that a newer
// version of the type brings is among them.
func TestEveryUnlistedFieldIsRefused(t *testing.T) {
	unlisted := 0
	for _, p := range places() {
		if _, ok := rules[p.path]; ok {
			continue
		}
		if _, ok := keyRules[p.path]; ok || p.path == "Mode.Global" {
			continue
		}
		unlisted++

		err := Check(p.put(notZero), facts())
		if err == nil || !strings.Contains(err.Error(), "not on the list") {
			t.Errorf("%s: got %v, want a refusal because it is not on the list", p.path, err)
		}
	}
	if unlisted < 50 {
		t.Errorf("only %d fields are not on the list: the walk over the type has lost its way", unlisted)
	}
}

// TestEveryRuleHasAField finds rules whose path was mistyped, and fields that were renamed.
func TestEveryRuleHasAField(t *testing.T) {
	var known []string
	for _, p := range places() {
		known = append(known, p.path)
	}
	for path := range rules {
		if !slices.Contains(known, path) && path != "Mode.Global" {
			t.Errorf("rule %q: there is no such field", path)
		}
	}
	for path := range keyRules {
		if !slices.Contains(known, path) {
			t.Errorf("rule %q: there is no such field", path)
		}
	}
}

// TestTemplatesAreRefusedEverywhere puts a template into every string of the spec, also where any text is allowed.
func TestTemplatesAreRefusedEverywhere(t *testing.T) {
	strs := 0
	for _, p := range places() {
		for _, bad := range []string{"A={{.Node.ID}}", "/a}}", "A=\x00", "/\xff"} {
			isString := false
			spec := p.put(func(v reflect.Value) {
				isString = v.Kind() == reflect.String || v.Kind() == reflect.Map
				switch v.Kind() {
				case reflect.String:
					v.SetString(bad)
				case reflect.Map:
					notZero(v)
					v.SetMapIndex(reflect.ValueOf(bad), reflect.ValueOf(bad).Convert(v.Type().Elem()))
				}
			})
			if !isString {
				continue
			}
			strs++
			if err := Check(spec, facts()); !IsRefusal(err) {
				t.Errorf("%s = %q: got %v, want a refusal", p.path, bad, err)
			}
		}
	}
	if strs < 4*40 {
		t.Errorf("only %d strings were tried: the walk over the type has lost its way", strs)
	}
}

// TestEveryRuleRefuses demands of every rule that it refuses something: a rule that lets everything pass is none.
func TestEveryRuleRefuses(t *testing.T) {
	extremes := []func(reflect.Value){
		func(v reflect.Value) { v.SetInt(-1) },
		func(v reflect.Value) { v.SetInt(1 << 62) },
		func(v reflect.Value) { v.SetUint(1<<32 - 1) },
		func(v reflect.Value) { v.SetUint(1<<64 - 1) },
		func(v reflect.Value) { v.SetFloat(-1) },
		func(v reflect.Value) { v.SetBool(false) },
		func(v reflect.Value) { v.SetString(" ") },
		func(v reflect.Value) { v.SetString(strings.Repeat("x", 300<<10)) },
	}
	unbounded := map[string]bool{
		task + "ForceUpdate": true, containerSpec + "Init": true, containerSpec + "ReadOnly": true, "Mode.Global": true,
		mounts + ".ReadOnly": true, // Held against the facts.
	}

	for _, p := range places() {
		if _, ok := rules[p.path]; !ok || unbounded[p.path] {
			continue
		}

		parent := p.path[:max(0, strings.LastIndex(p.path, "."))]
		refused := false
		for _, extreme := range extremes {
			err := func() (err error) {
				defer func() {
					if recover() != nil { // The extreme is of another type than the field.
						err = nil
					}
				}()

				return Check(p.put(extreme), facts())
			}()
			refused = refused || err != nil && strings.Contains(err.Error(), parent)
		}
		if !refused {
			t.Errorf("%s: no extreme value is refused", p.path)
		}
	}
}

func ExampleCheck() {
	spec := safe()
	spec.TaskTemplate.ContainerSpec.CapabilityAdd = []string{"CAP_SYS_ADMIN"}

	fmt.Println(IsRefusal(Check(spec, facts())))
	// Output: true
}
