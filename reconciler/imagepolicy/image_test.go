package imagepolicy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	one = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	two = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func TestWrite(t *testing.T) {
	tag := Image{Repository: "docker.io/library/nginx", Tag: "1.3", Digest: two}
	pinned := Image{Repository: "nginx", Tag: "main", Digest: two, Pinned: true}

	cases := map[string]struct {
		reason            string
		declared, running string
		latest            Image
		want              string
	}{
		"NewTag":            {"It is another version.", "nginx:1.2", "nginx:1.2@" + one, tag, "nginx:1.3"},
		"NeverStarted":      {"Nothing runs that could be the same.", "nginx:1.2", "", tag, "nginx:1.3"},
		"SameTag":           {"It is declared already.", "nginx:1.3", "", tag, ""},
		"SameTagMoved":      {"A tag policy follows tags; that one was moved is no new version.", "nginx:1.3", "nginx:1.3@" + one, tag, ""},
		"SameTagMovedPin":   {"Nor is it for who has pinned it.", "nginx:1.3@" + one, "", tag, ""},
		"SameContent":       {"Another name for what runs would restart it for nothing.", "nginx:1.2", "nginx:1.2@" + two, tag, ""},
		"SameContentPinned": {"The same, where the spec says so itself.", "nginx:1.2@" + two, "", tag, ""},
		"PinnedStaysPinned": {"Who wanted a digest gets one.", "nginx:1.2@" + one, "", tag, "nginx:1.3@" + two},
		"NoTag":             {"What says nothing means latest.", "nginx", "nginx:latest@" + one, tag, "nginx:1.3"},
		"SpellingKept":      {"The repository is written the way it was.", "localhost:5000/team/app:1.2", "", Image{Repository: "localhost:5000/team/app", Tag: "1.3", Digest: two}, "localhost:5000/team/app:1.3"},
		"PortIsNoTag":       {"A port is no tag.", "localhost:5000/app", "", Image{Repository: "localhost:5000/app", Tag: "1.3", Digest: two}, "localhost:5000/app:1.3"},
		"DigestMoved":       {"The tag was moved, and is followed.", "nginx:main", "nginx:main@" + one, pinned, "nginx:main@" + two},
		"DigestSame":        {"What runs is what the tag is now.", "nginx:main", "nginx:main@" + two, pinned, ""},
		"DigestWritten":     {"It is declared already.", "nginx:main@" + two, "", pinned, ""},
		"DigestUnknown":     {"What a tag was resolved to is not known: it is pinned.", "nginx:main", "", pinned, "nginx:main@" + two},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, changed := Write(tc.declared, tc.running, tc.latest)
			if want := max(tc.want, map[bool]string{true: tc.declared}[tc.want == ""]); got != want || changed != (tc.want != "") {
				t.Errorf("%s\ngot %q, %t; want %q", tc.reason, got, changed, want)
			}
		})
	}
}

// TestWriteOnce: after a write there is nothing to write, whatever was there.
func TestWriteOnce(t *testing.T) {
	digests := rapid.SampledFrom([]string{one, two})

	rapid.Check(t, func(t *rapid.T) {
		declared := rapid.StringMatching(`(localhost:5000/)?[a-z]{1,3}(/[a-z]{1,3})?(:[a-z0-9][a-z0-9.]{0,2})?`).Draw(t, "image")
		if rapid.Bool().Draw(t, "pinned") {
			declared += "@" + digests.Draw(t, "digest")
		}

		running := ""
		if rapid.Bool().Draw(t, "running") {
			running = spelling(declared) + "@" + digests.Draw(t, "running digest")
		}

		latest := Image{Repository: spelling(declared), Tag: rapid.StringMatching(`[a-z0-9][a-z0-9.]{0,2}`).Draw(t, "tag"), Digest: digests.Draw(t, "latest"), Pinned: rapid.Bool().Draw(t, "pin")}

		got, changed := Write(declared, running, latest)
		if changed == (got == declared) {
			t.Fatalf("%q became %q, which was told as %t", declared, got, changed)
		}

		if !Of(declared, got) {
			t.Fatalf("%q became %q, which is another repository", declared, got)
		}

		if again, changed := Write(got, "", latest); changed && got != declared {
			t.Fatalf("%q became %q and then %q", declared, got, again)
		}
	})
}

func TestKeep(t *testing.T) {
	before := Image{Repository: "app", Tag: "1.2.3", Digest: one}

	cases := map[string]struct {
		reason string
		now    Image
		still  bool
		want   string
	}{
		"SameContent": {"A new name for the same content is no news.", Image{Repository: "app", Tag: "1.2.4", Digest: one}, true, "1.2.3"},
		"NewContent":  {"This is.", Image{Repository: "app", Tag: "1.2.4", Digest: two}, true, "1.2.4"},
		"OldNameGone": {"A name that is gone cannot be pulled.", Image{Repository: "app", Tag: "1.2.4", Digest: one}, false, "1.2.4"},
		"OtherPlace":  {"The same content elsewhere is another image.", Image{Repository: "other", Tag: "1.2.4", Digest: one}, true, "1.2.4"},
	}
	for name, tc := range cases {
		if got := Keep(before, tc.now, tc.still); got.Tag != tc.want {
			t.Errorf("%s: %s\ngot %q, want %q", name, tc.reason, got.Tag, tc.want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Image{
		"localhost:5000/a/b:1.0@" + one: {Repository: "localhost:5000/a/b", Tag: "1.0", Digest: one},
		"nginx:1@" + two:                {Repository: "nginx", Tag: "1", Digest: two},
		"localhost:5000/a@" + one:       {},
		"nginx:1":                       {},
		"":                              {},
	} {
		got, ok := Parse(text)
		if got != want || ok != (want != Image{}) || ok && got.String() != text {
			t.Errorf("Parse(%q) is %+v, %t; want %+v", text, got, ok, want)
		}
	}
}

func TestOf(t *testing.T) {
	for pair, want := range map[string]bool{
		"nginx docker.io/library/nginx:1": true, "docker.io/nginx nginx@" + one: true, "index.docker.io/library/nginx nginx": true,
		"ghcr.io/a/b ghcr.io/a/b:1": true, "ghcr.io/a/b ghcr.io/a/bc:1": false, "nginx ghcr.io/library/nginx": false, "nginx NGINX": false,
	} {
		repository, image, _ := strings.Cut(pair, " ")
		if got := Of(repository, image); got != want {
			t.Errorf("Of(%q, %q) = %t", repository, image, got)
		}
	}
}
