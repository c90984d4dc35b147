package setters

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/source"
)

const digest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"

func app(tag string) source.Image {
	return source.Image{Policy: "acme:app", Name: "registry.example/team/app", Tag: tag, Digest: digest}
}

const marker = `# {"$imagepolicy": "acme:app"}`

func TestApply(t *testing.T) {
	pinned := app("main")
	pinned.Pinned = true

	cases := map[string]struct {
		reason  string
		image   source.Image
		in, out string
		markers int
	}{
		"Plain":          {"A value and its marker.", app("1.3"), "image: a:1 " + marker + "\n", "image: registry.example/team/app:1.3 " + marker + "\n", 1},
		"Double":         {"Quotes stay.", app("1.3"), `image: "a:1"  ` + marker, `image: "registry.example/team/app:1.3"  ` + marker, 1},
		"Single":         {"Both kinds.", app("1.3"), "- 'a:1' " + marker + "\r\n- b\r\n", "- 'registry.example/team/app:1.3' " + marker + "\r\n- b\r\n", 1},
		"Empty":          {"A value that nobody has set yet.", app("1.3"), `image: "" ` + marker, `image: "registry.example/team/app:1.3" ` + marker, 1},
		"Anchor":         {"What is named stays named.", app("1.3"), "image: &img a:1 " + marker + "\nother: *img\n", "image: &img registry.example/team/app:1.3 " + marker + "\nother: *img\n", 1},
		"Tagged":         {"So does what says its type.", app("1.3"), "image: !!str a:1 " + marker + "\n", "image: !!str registry.example/team/app:1.3 " + marker + "\n", 1},
		"Pinned":         {"A policy that follows a digest writes it.", pinned, "image: a:1 " + marker + "\n", "image: registry.example/team/app:main@" + digest + " " + marker + "\n", 1},
		"Parts":          {"Charts have the parts apart.", app("v1.3"), "name: a # {\"$imagepolicy\": \"acme:app:name\"}\ntag: \"v1\" # {\"$imagepolicy\": \"acme:app:tag\"}\ndigest: x # {\"$imagepolicy\": \"acme:app:digest\"}\n", "name: registry.example/team/app # {\"$imagepolicy\": \"acme:app:name\"}\ntag: \"v1.3\" # {\"$imagepolicy\": \"acme:app:tag\"}\ndigest: " + digest + " # {\"$imagepolicy\": \"acme:app:digest\"}\n", 3},
		"NumberIsQuoted": {"1.20 without quotes is 1.2.", app("1.20"), "tag: 1.19 # {\"$imagepolicy\": \"acme:app:tag\"}\n", "tag: \"1.20\" # {\"$imagepolicy\": \"acme:app:tag\"}\n", 1},
		"Unchanged":      {"What is there already is no change.", app("1.3"), "image: registry.example/team/app:1.3 " + marker + "\n", "", 1},
		"OtherPolicy":    {"Markers of others are others'.", app("1.3"), "image: a:1 # {\"$imagepolicy\": \"acme:app2\"}\n", "", 0},
		"OtherNamespace": {"Also by the same name.", app("1.3"), "image: a:1 # {\"$imagepolicy\": \"globex:app\"}\n", "", 0},
		"OtherPart":      {"A part that does not exist.", app("1.3"), "image: a:1 # {\"$imagepolicy\": \"acme:app:arch\"}\n", "", 0},
		"NoJSON":         {"Prose that mentions it.", app("1.3"), "image: a:1 # see $imagepolicy acme:app\n", "", 0},
		"InText":         {"A script that writes YAML has no markers.", app("1.3"), "script: |\n  image: a:1 " + marker + "\n", "", 0},
		"InQuotes":       {"Nor has a string.", app("1.3"), "text: 'image: a:1 " + marker + "'\n", "", 0},
		"CommentAlone":   {"A comment on a line of its own is beside no value.", app("1.3"), marker + "\nimage: a:1\n", "", 0},
		"NotYAML":        {"What has no marker is not even read.", app("1.3"), "{{ if }}", "", 0},
		"Documents":      {"All of a file, and lines are the file's.", app("1.3"), "# first\na: b\n---\nx: {y: z}\n---\nspec:\n  - image: a:1 " + marker + "\n    é: \"ü\" # note\n", "# first\na: b\n---\nx: {y: z}\n---\nspec:\n  - image: registry.example/team/app:1.3 " + marker + "\n    é: \"ü\" # note\n", 1},
		"Unicode":        {"Columns are characters and not bytes.", app("1.3"), "\"größe\": a:1 " + marker + "\n", "\"größe\": registry.example/team/app:1.3 " + marker + "\n", 1},
		"ByteOrderMark":  {"Some editors begin files with one.", app("1.3"), "\xef\xbb\xbfimage: a:1 " + marker + "\n", "\xef\xbb\xbfimage: registry.example/team/app:1.3 " + marker + "\n", 1},
		"Flow":           {"Inside of braces.", app("1.3"), "{image: a:1, " + marker + "\n b: c}\n", "{image: registry.example/team/app:1.3, " + marker + "\n b: c}\n", 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			out, changes, markers, err := Apply("a.yaml", []byte(tc.in), tc.image)
			if err != nil {
				t.Fatal(err)
			}

			want := tc.out
			if want == "" {
				want = tc.in
			}

			if diff := cmp.Diff(want, string(out)); diff != "" || markers != tc.markers || (len(changes) > 0) != (tc.out != "") {
				t.Errorf("%s\n%d markers, want %d; changes %v (-want +got):\n%s", tc.reason, markers, tc.markers, changes, diff)
			}
		})
	}
}

func TestChangesAreTold(t *testing.T) {
	in := "a: 1\n---\nimage: a:1 " + marker + "\n\nother: b:2 " + marker + "\n"

	_, changes, _, err := Apply("apps/a.yaml", []byte(in), app("1.3"))
	if err != nil {
		t.Fatal(err)
	}

	want := []source.Change{
		{File: "apps/a.yaml", Line: 3, OldValue: "a:1", NewValue: "registry.example/team/app:1.3"},
		{File: "apps/a.yaml", Line: 5, OldValue: "b:2", NewValue: "registry.example/team/app:1.3"},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestApplyRefuses(t *testing.T) {
	cases := map[string]struct{ reason, in, says string }{
		"Broken":  {"A file with a marker must be YAML.", "a: [\nimage: a:1 " + marker + "\n", "a.yaml:"},
		"Escapes": {"What is not written as it reads cannot be found.", `image: "a\x3a1" ` + marker + "\n", "a.yaml:1: the value that is marked must be on one line"},
		"Lines":   {"A value of several lines has no line.", "image: a\n  b " + marker + "\n", "a.yaml:1: the value that is marked must be on one line"},
	}
	for name, tc := range cases {
		if _, _, _, err := Apply("a.yaml", []byte(tc.in), app("1.3")); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %s\ngot %v", name, tc.reason, err)
		}
	}
}

// TestOnlyMarkedValuesChange: of a file of any lines, those with a marker change in their value, and no other byte does.
func TestOnlyMarkedValuesChange(t *testing.T) {
	others := rapid.SampledFrom([]string{
		"k%d: v\n", "k%d: \"é # no comment\" # comment\n", "# k%d\n", "\n", "k%d: |\n  image: a:1 " + marker + "\n", "k%d: [1, 2] # list\n",
		"k%d: 'it''s'   \n", "k%d: a:1 # {\"$imagepolicy\": \"other:app\"}\n", "k%d:\n- a\n-   b\n", "---\nk%d: v\n", "k%d: {a: b}\r\n",
	})
	marked := rapid.SampledFrom([]string{"m%d: @ " + marker + "\n", "m%d: \"@\"   " + marker + "\r\n", "m%d:   '@' " + marker + "\n", "m%d:\n  - x: y\n    z: @ " + marker + "\n"})

	rapid.Check(t, func(t *rapid.T) {
		var in, want strings.Builder

		markers := 0
		for i := range rapid.IntRange(0, 12).Draw(t, "lines") {
			if !rapid.Bool().Draw(t, "marked") {
				text := strings.ReplaceAll(others.Draw(t, "line"), "%d", fmt.Sprint(i))
				in.WriteString(text)
				want.WriteString(text)

				continue
			}

			text := strings.ReplaceAll(marked.Draw(t, "line"), "%d", fmt.Sprint(i))
			old := rapid.StringMatching(`[a-z]{1,5}(:[a-z0-9]{1,3})?`).Draw(t, "old")
			in.WriteString(strings.Replace(text, "@", old, 1))
			want.WriteString(strings.Replace(text, "@", app("v2").Reference(), 1))
			markers++
		}

		out, _, found, err := Apply("a.yaml", []byte(in.String()), app("v2"))
		if err != nil {
			t.Fatalf("%v:\n%s", err, in.String())
		}

		if found != markers || string(out) != want.String() {
			t.Fatalf("%d of %d markers:\n%s", found, markers, cmp.Diff(want.String(), string(out)))
		}

		again, changes, _, err := Apply("a.yaml", out, app("v2"))
		if err != nil || len(changes) > 0 || string(again) != string(out) {
			t.Fatalf("a second time changes %v: %v", changes, err)
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add("image: a:1 " + marker + "\n")
	f.Add("a: &b 'c' " + marker + "\n---\n{x: y, " + marker + "\nz: \"w\"}\n")
	f.Fuzz(func(t *testing.T, in string) {
		out, changes, markers, err := Apply("a.yaml", []byte(in), app("1.20"))
		if err == nil && len(changes) > markers {
			t.Errorf("%d changes for %d markers of %q: %q", len(changes), markers, in, out)
		}
	})
}
