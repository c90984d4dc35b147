package swarm

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// clone copies a value as the wire does: what JSON does not carry is lost, and nothing is shared. Everything that comes
// in is cloned.
func clone[T any](v T) T {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fake swarm: %T cannot be sent: %v", v, err))
	}

	var out T
	if err := json.Unmarshal(data, &out); err != nil {
		panic(fmt.Sprintf("fake swarm: %T cannot be received: %v", v, err))
	}

	return out
}

// show copies a value that is given out. It came over the wire once, so only sharing has to be avoided, and that is
// cheaper.
func show[T any](v T) T {
	out := reflect.New(reflect.TypeFor[T]()).Elem()
	copyValue(out, reflect.ValueOf(&v).Elem())

	return out.Interface().(T)
}

// copyValue copies all that from points to. Unexported fields, such as those of a time, are copied as they are.
func copyValue(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.Pointer:
		if !from.IsNil() {
			to.Set(reflect.New(from.Type().Elem()))
			copyValue(to.Elem(), from.Elem())
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))

			for i := range from.Len() {
				copyValue(to.Index(i), from.Index(i))
			}
		}
	case reflect.Map:
		if !from.IsNil() {
			to.Set(reflect.MakeMapWithSize(from.Type(), from.Len()))

			for i := from.MapRange(); i.Next(); {
				value := reflect.New(from.Type().Elem()).Elem()
				copyValue(value, i.Value())
				to.SetMapIndex(i.Key(), value)
			}
		}
	case reflect.Struct:
		to.Set(from)

		for i := range from.NumField() {
			if to.Field(i).CanSet() && shares(from.Field(i).Kind()) {
				copyValue(to.Field(i), from.Field(i))
			}
		}
	default:
		to.Set(from)
	}
}

// shares is true for kinds of which an assignment does not copy everything.
func shares(k reflect.Kind) bool {
	switch k {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct, reflect.Array, reflect.Interface:
		return true
	default:
		return false
	}
}

// equal compares two values by what the wire would carry.
func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)

	return errX == nil && errY == nil && string(x) == string(y)
}
