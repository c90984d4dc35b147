package swarmobj

import (
	"strings"
	"testing"
)

func TestSameImage(t *testing.T) {
	one, two := "@sha256:"+strings.Repeat("1", 64), "@sha256:"+strings.Repeat("2", 64)

	cases := map[string]struct {
		reason string
		a, b   string
		want   bool
	}{
		"Same":            {"The same words.", "shop" + one, "shop" + one, true},
		"OtherTag":        {"The digest is what runs.", "shop:1" + one, "shop:2" + one, true},
		"OtherSpelling":   {"The hub is left out by habit.", "nginx" + one, "docker.io/library/nginx" + one, true},
		"OtherDigest":     {"Another image.", "shop" + one, "shop" + two, false},
		"OtherRepository": {"A registry gives images by repository.", "shop" + one, "api" + one, false},
		"OtherHost":       {"Another registry.", "a.example/shop" + one, "b.example/shop" + one, false},
		"NoDigest":        {"A tag is not an image.", "shop:1", "shop:1", false},
		"NoReference":     {"Nothing is the same as nothing.", "", "", false},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := SameImage(tc.a, tc.b); got != tc.want {
				t.Errorf("%s\ngot %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}
