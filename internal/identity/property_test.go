package identity

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAnyHash: whatever a damaged record holds, it costs no more than a hash may, and a hash that is read is written as
// it was.
func TestAnyHash(t *testing.T) {
	good := derive(goodPassword, cheap, make([]byte, saltBytes)).encode()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(good)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text[i] = rapid.SampledFrom([]byte("$,=0123456789mtpv+-aA/ ")).Draw(t, "to")
		}
		h, err := parseHash(string(text))
		if err != nil {
			return
		}
		if h.cost.memoryKiB > maxCost.memoryKiB || h.cost.passes > maxCost.passes || h.cost.lanes > maxCost.lanes {
			t.Fatalf("%q costs %+v", text, h.cost)
		}
		again, err := parseHash(h.encode())
		if err != nil || again.encode() != h.encode() {
			t.Fatalf("%q is written as %q, %v", text, h.encode(), err)
		}
	})
}

// TestAnyToken: a token that is read names a record and nothing else in the store.
func TestAnyToken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"dogkera", "dogkerr", "dogkerd", "dogkerx", ""}).Draw(t, "kind") + "_" +
			rapid.StringMatching(`[a-z0-9_/. A-Z]{0,40}`).Draw(t, "id") + "_" + rapid.StringMatching(`[a-z0-9_=\n]{0,80}`).Draw(t, "secret")
		got, ok := parseToken(text)
		if !ok {
			return
		}
		if !isOurs(text) || !plain(got.id) || got.text != text || len(text) > maxTokenChars {
			t.Fatalf("%q is read as %+v", text, got)
		}
		if f := got.family(); f != "" && len(f) != familyChars {
			t.Fatalf("%q is of the family %q", text, f)
		}
	})
}
