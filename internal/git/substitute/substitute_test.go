package substitute_test

import (
	"strings"
	"testing"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/substitute"
)

var vars = map[string]string{"name": "web", "n": "3", "t": "true", "null": "null", "empty": "", "lines": "a\nb: c", "hash": "a # b", "dollar": "${name}", "date": "2026-03-01"}

func TestObject(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, in, want, fails string
	}{
		"Text":            {in: "k: a-${name}-b", want: `{"k":"a-web-b"}`},
		"Number":          {reason: "Without quotes it is what the value says.", in: "k: ${n}", want: `{"k":3}`},
		"Bool":            {in: "k: ${t}", want: `{"k":true}`},
		"Null":            {in: "k: ${null}", want: `{"k":null}`},
		"Date":            {in: "k: ${date}", want: `{"k":"2026-03-01"}`},
		"QuotedNumber":    {reason: "In quotes it stays a string.", in: `k: "${n}"`, want: `{"k":"3"}`},
		"SingleQuoted":    {in: `k: '${n}'`, want: `{"k":"3"}`},
		"Block":           {in: "k: |\n  x=${n}\n", want: `{"k":"x=3\n"}`},
		"Empty":           {reason: "Empty is a value.", in: "k: ${empty}", want: `{"k":""}`},
		"Lines":           {reason: "A value stays where it was put.", in: "k: ${lines}", want: `{"k":"a\nb: c"}`},
		"Comment":         {in: "k: ${hash}", want: `{"k":"a # b"}`},
		"Key":             {in: "${name}: 1", want: `{"web":1}`},
		"List":            {in: "- ${n}\n- a${n}", want: `[3,"a3"]`},
		"Once":            {reason: "What a value holds is not looked at again.", in: "k: ${dollar}", want: `{"k":"${name}"}`},
		"NoBraces":        {reason: "Dollars without braces are dollars.", in: "k: $name $1 $(x) $", want: `{"k":"$name $1 $(x) $"}`},
		"Escaped":         {in: "k: $${name}", want: `{"k":"${name}"}`},
		"Default":         {in: "k: ${no:-${n}}", want: `{"k":3}`},
		"DefaultUnneeded": {reason: "A default that is not used need not have a value.", in: "k: ${name:=${no}}", want: `{"k":"web"}`},
		"Upper":           {in: "k: ${name^^}", want: `{"k":"WEB"}`},
		"Slice":           {in: "k: ${name:1:1}", want: `{"k":"e"}`},
		"SliceOut":        {in: "k: ${name:9:1}", want: `{"k":""}`},
		"Anchor":          {reason: "An alias is what its anchor has become.", in: "a: &a x${n}\nb: *a", want: `{"a":"x3","b":"x3"}`},
		"Unset":           {in: "k: ${no}", fails: `variable "no" has no value`},
		"UnsetInDefault":  {in: "k: ${no:=${nope}}", fails: `variable "nope" has no value`},
		"UnsetUpper":      {in: "k: ${no^^}", fails: `variable "no" has no value`},
		"Required":        {in: "k: '${name:?x}'", fails: "is not supported"},
		"Alternative":     {in: "k: '${name:+x}'", fails: "is not supported"},
		"Unclosed":        {in: "k: ${name", fails: "no expression"},
		"BadName":         {in: "k: ${a-b.c}", fails: "no expression"},
		"Many":            {in: "k: " + strings.Repeat("${n}", 201), fails: "more than 200 variables"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := document.Parse("a.yaml", []byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}

			_, err = substitute.Object(docs[0].Node, vars)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.fails)
				}

				return
			}

			if err != nil {
				t.Fatal(err)
			}

			if got, err := docs[0].JSON(); err != nil || string(got) != tc.want {
				t.Errorf("%s\ngot %s, %v; want %s", tc.reason, got, err, tc.want)
			}
		})
	}
}

// FuzzObject demands that no expression panics, and that structure stays what it is.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{"${name}", "${a:=${b}}", "${n:1:${", "${name//e/${n}}", "$${x}", "${#name}", "${name%%b*}"} {
		f.Add(seed, "value")
	}

	f.Fuzz(func(t *testing.T, text, value string) {
		docs, err := document.Parse("a.yaml", []byte("a: 1\nb: 2\n"))
		if err != nil {
			t.Fatal(err)
		}

		document.Field(docs[0].Node, "a").Value = text
		document.Field(docs[0].Node, "a").Tag = "!!str"

		if _, err := substitute.Object(docs[0].Node, map[string]string{"name": value, "a": value}); err != nil {
			return
		}

		data, err := docs[0].JSON()
		if err != nil {
			return
		}

		if !strings.HasPrefix(string(data), `{"a":`) || !strings.HasSuffix(string(data), `,"b":2}`) {
			t.Errorf("%q with %q became %s", text, value, data)
		}
	})
}
