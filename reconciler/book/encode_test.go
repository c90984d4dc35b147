package book

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/money"
)

// written are the types that have an encoder of their own.
var written = map[string]func(t *rapid.T) (value any, encoded []byte){
	"Head": func(t *rapid.T) (any, []byte) {
		h := drawn[Head](t)
		h.State = rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage(`null`), json.RawMessage(`{"v":1,"said":{"a/24h":3}}`)}).Draw(t, "state")
		return h, h.Encode()
	},
	"Record": func(t *rapid.T) (any, []byte) { r := drawn[Record](t); return r, r.Encode() },
	"Entry":  func(t *rapid.T) (any, []byte) { e := drawn[Entry](t); return e, e.Encode() },
	"Order":  func(t *rapid.T) (any, []byte) { o := drawn[Order](t); return o, o.Encode() },
}

// TestEncode: the encoder writes what encoding/json would, to the byte, whatever is in the fields. So nothing that was ever
// stored or hashed by the one is another thing to the other, and a field that one of them does not know of is noticed.
func TestEncode(t *testing.T) {
	for name, draw := range written {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				value, got := draw(t)
				want, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				if string(want) != string(got) {
					t.Fatalf("encoding/json writes\n%s\nand the encoder\n%s", want, got)
				}
			})
		})
	}
}

// drawn has something in each of its fields, or nothing.
func drawn[T any](t *rapid.T) T {
	var value T
	fill(t, reflect.ValueOf(&value).Elem(), "value")

	return value
}

// texts are such that escapes matter.
var texts = []string{"", "web", "tenant:promo:w-1", `a "b" \c`, "<script>&", "é ü €", "line\u2028", "bell\a\t\n", "bad \xff", "\x7f"}

func fill(t *rapid.T, v reflect.Value, label string) {
	empty := rapid.IntRange(0, 3).Draw(t, label) == 0
	switch {
	case v.Type() == reflect.TypeFor[json.RawMessage](), empty:
	case v.Kind() == reflect.String:
		v.SetString(rapid.OneOf(rapid.SampledFrom(texts), rapid.String()).Draw(t, label))
	case v.CanInt():
		v.SetInt(rapid.Int64().Draw(t, label))
	case v.CanUint():
		v.SetUint(rapid.Uint64().Draw(t, label))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), label)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), label+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, label)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(t, v.Index(i), fmt.Sprintf("%s[%d]", label, i))
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range rapid.IntRange(0, 3).Draw(t, label) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.SetString(fmt.Sprintf("%d%s", i, rapid.SampledFrom(texts).Draw(t, label)))
			fill(t, value, fmt.Sprintf("%s[%d]", label, i))
			v.SetMapIndex(key, value)
		}
	default:
		t.Fatalf("%s is a %s, which nobody has thought of", label, v.Type())
	}
}

// TestDecodeStateSpelling: the state of a decision is a part of the head, and not a byte of it may change unnoticed either.
func TestDecodeStateSpelling(t *testing.T) {
	for name, state := range map[string]string{"Blank": `{"v": 1}`, "Escape": `{"v":"<"}`} {
		h := NewHead("acme")
		h.State = json.RawMessage(state)
		if _, err := DecodeHead(h.Encode()); err == nil {
			t.Errorf("%s: %s is read in another spelling than it is written in", name, state)
		}
	}
	h := NewHead("acme")
	h.State = json.RawMessage(`{"v":1}`)
	if _, err := DecodeHead(h.Encode()); err != nil {
		t.Error(err)
	}
}

// TestDecodeOrder: what a newer version has written of a payment is not dropped when the order is written again.
func TestDecodeOrder(t *testing.T) {
	o := Order{ID: "o1", Credited: rupiah(5), Refunds: map[string]money.Micro{"r": rupiah(1)}}
	if got, err := DecodeOrder(o.Encode()); err != nil || !got.Equal(o) {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]error{
		`{"id":"o1","credited":"5.000000","returned":"0.000000","held":"0.000000","fee":"1.000000"}`: ErrNewer,
		`{"id":"o1","credited":"5.0","returned":"0.000000","held":"0.000000"}`:                       ErrBroken,
		`{"id":"o1"`: ErrBroken,
	} {
		if _, err := DecodeOrder([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// BenchmarkEncode writes a record of ten workloads.
func BenchmarkEncode(b *testing.B) {
	r := Record{Tenant: "acme", Period: Period{495666, 0}, From: 1, Through: 2, PriceList: "p1"}
	for i := range 20 {
		r.Lines = append(r.Lines, hours(fmt.Sprintf("workload-%02d", i/2), []money.Meter{money.CPU, money.Memory}[i%2], 1, 150))
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Encode()
	}
}
