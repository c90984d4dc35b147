package swarm

import (
	"encoding/binary"
	"hash"
	"hash/fnv"
	"reflect"
	"slices"
	"strings"
)

// hashOf is the same for two values that mean the same. What is there without saying anything does not count: the engine
// shows some empty members for a service and leaves them out for its tasks. It reads Docker's types, which are plain
// data, and is some ten times faster than going through JSON; a swarm of thousands of tasks is hashed at every start.
func hashOf(v any) uint64 {
	h := fnv.New64a()
	digest(h, reflect.ValueOf(v))

	return h.Sum64()
}

// silent is true for a value that says nothing: null, a zero, or something that holds only such. What a pointer to a
// number or a flag points to does count, because there a zero is not the same as nothing.
func silent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || v.Elem().Kind() == reflect.Struct && silent(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if !silent(v.Field(i)) {
				return false
			}
		}

		return true
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	default:
		return v.IsZero()
	}
}

// digest writes what a value says, with the names of members and the lengths of lists, so that no two different values
// write the same.
func digest(h hash.Hash64, v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			_, _ = h.Write([]byte{'*'})
			digest(h, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if member := v.Field(i); !silent(member) {
				writeString(h, v.Type().Field(i).Name)
				digest(h, member)
			}
		}
		_, _ = h.Write([]byte{'}'})
	case reflect.Slice, reflect.Array:
		writeNumber(h, uint64(v.Len())) //nolint:gosec // a length
		for i := range v.Len() {
			digest(h, v.Index(i))
		}
	case reflect.Map:
		digestMap(h, v)
	case reflect.String:
		writeString(h, v.String())
	case reflect.Bool:
		if v.Bool() {
			writeNumber(h, 1)
			return
		}
		writeNumber(h, 0)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		writeNumber(h, v.Uint())
	default:
		writeNumber(h, uint64(v.Int())) //nolint:gosec // only its bits matter; a kind without Int panics in the first test
	}
}

func digestMap(h hash.Hash64, v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })

	writeNumber(h, uint64(len(keys)))
	for _, key := range keys {
		writeString(h, key.String())
		digest(h, v.MapIndex(key))
	}
}

func writeString(h hash.Hash64, s string) {
	writeNumber(h, uint64(len(s)))
	_, _ = h.Write([]byte(s))
}

func writeNumber(h hash.Hash64, n uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	_, _ = h.Write(b[:])
}
