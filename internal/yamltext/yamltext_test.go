package yamltext_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/internal/yamltext"
)

// TestEveryCharacter wants each character of the basic plane back, wherever in a string it is, and some beyond.
func TestEveryCharacter(t *testing.T) {
	var all []string
	for r := rune(0); r < 0x11000; r++ {
		// Most characters are like their neighbours, and those at the ends of what YAML distinguishes are below and above.
		if utf8.ValidRune(r) && (r < 0x3000 || r > 0xd000 || r%64 == 0) {
			all = append(all, string(r), "a"+string(r)+"b", string(r)+" ", "x: "+string(r))
		}
	}

	for some := range slices.Chunk(all, 4096) {
		text, err := yamltext.Marshal(some)
		if err != nil {
			t.Fatal(err)
		}
		var back []string
		if err := yaml.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(some, back); diff != "" {
			t.Errorf("what is read back (-want +got):\n%s", diff)
		}
	}
}
