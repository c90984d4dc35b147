package document_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/reconciler/source"
)

func TestParse(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		text   string
		want   []string
		lines  []int
	}{
		"One":             {"", "a: 1\n", []string{`{"a":1}`}, []int{1}},
		"None":            {"", "# nothing\n---\n---\nnull\n---\n~\n", nil, nil},
		"Several":         {"", "a: 1\n---\nb: 2\n---\n\n# c\nc: 3\n", []string{`{"a":1}`, `{"b":2}`, `{"c":3}`}, []int{1, 3, 7}},
		"OnTheLine":       {"What follows the dashes belongs to the document.", "--- {a: 1}\n--- # b\nb: 2\n", []string{`{"a":1}`, `{"b":2}`}, []int{1, 3}},
		"DashesInText":    {"Dashes in a text are no separator, unless they begin a line.", "a: |\n  ---\n  x\nb: '-- ---'\n", []string{`{"a":"---\nx\n","b":"-- ---"}`}, []int{1}},
		"Windows":         {"", "a: 1\r\n---\r\nb: 2\r\n", []string{`{"a":1}`, `{"b":2}`}, []int{1, 3}},
		"ByteOrderMark":   {"", "\xef\xbb\xbfa: 1\n", []string{`{"a":1}`}, []int{1}},
		"EndMark":         {"", "a: 1\n...\n---\nb: 2\n", []string{`{"a":1}`, `{"b":2}`}, []int{1, 4}},
		"LikeKubectl":     {"Values mean what they mean to kubectl.", "a: yes\nb: 7\nc: 2026-03-01\nd: 1e3\ne: '1'\n", []string{`{"a":true,"b":7,"c":"2026-03-01","d":1000,"e":"1"}`}, []int{1}},
		"AliasesInBounds": {"", "a: &a {x: 1}\nb: *a\nc:\n  <<: *a\n  w: 2\n", []string{`{"a":{"x":1},"b":{"x":1},"c":{"w":2,"x":1}}`}, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := document.Parse("a.yaml", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}

			var (
				got   []string
				lines []int
			)

			for _, d := range docs {
				data, err := d.JSON()
				if err != nil {
					t.Fatal(err)
				}

				got, lines = append(got, string(data)), append(lines, d.Line)
			}

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", tc.reason, diff)
			}

			if diff := cmp.Diff(tc.lines, lines); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLinesOfErrors(t *testing.T) {
	for text, want := range map[string]int{
		"a: 1\n---\nb: [\n":         3,
		"a: 1\n---\n\nb: 1\nb: 2\n": 5,
		"a: 1\n---\nb:\n  - !x y\n": 4,
		"a: 1\n...\nb: 2\n":         2,
	} {
		_, err := document.Parse("a.yaml", []byte(text))

		var e *source.Error
		if !errors.As(err, &e) || e.File != "a.yaml" || e.Line != want {
			t.Errorf("%q: %v; want line %d", text, err, want)
		}
	}
}

// FuzzParse demands that what passes the guard converts within bounds, and that every error names the file.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a: &a [x, x]\nb: [*a, *a]\n", "---\n--- x\n", "? [a]\n: b\n", "a: !!binary aGk=\n", "<<: {a: 1}\n", "- - - x\n"} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := document.Parse("a.yaml", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "a.yaml") {
				t.Errorf("the error does not name the file: %v", err)
			}

			return
		}

		for _, d := range docs {
			got, err := d.JSON()
			if err != nil {
				continue
			}

			// Ten times as many values, each at most as long as everything that was written.
			if limit := 12 * (len(data) + 1000) * (len(data) + 100); len(got) > limit {
				t.Errorf("%d bytes became %d", len(data), len(got))
			}
		}
	})
}
