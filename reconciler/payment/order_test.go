package payment

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNewOrderID(t *testing.T) {
	// The example of the specification of ULIDs: its time, and its entropy.
	at := time.UnixMilli(1469922850259)
	entropy := [10]byte{0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0}

	id, err := NewOrderID("abcde7", at, entropy)
	if err != nil {
		t.Fatal(err)
	}

	if !strings.HasPrefix(id, "dk-abcde7-01ARZ3NDEK") || len(id) != 36 {
		t.Errorf("made %q", id)
	}

	if tag, ok := OrderCluster(id); !ok || tag != "abcde7" {
		t.Errorf("%q is of cluster %q, %v", id, tag, ok)
	}

	for _, tag := range []string{"", "abc", "ABCDEF", "abcdef7", "abcde1", "abc-ef", "äbcdef"} {
		if id, err := NewOrderID(tag, at, entropy); err == nil {
			t.Errorf("tag %q makes %q, want an error", tag, id)
		}
	}

	if _, err := NewOrderID("abcdef", time.Unix(-1, 0), entropy); err == nil {
		t.Error("a time before 1970 makes an order ID")
	}
}

// TestOrderIDsAreUsable: every one that is made is one that the gateway takes, sorts by time, and differs with entropy.
func TestOrderIDsAreUsable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 1<<48-2).Draw(t, "ms")
		random := func(name string) (e [10]byte) {
			copy(e[:], rapid.SliceOfN(rapid.Byte(), 10, 10).Draw(t, name))
			return e
		}
		a, b := random("a"), random("b")
		tag := ClusterTag(rapid.String().Draw(t, "uid"))

		make := func(ms int64, e [10]byte) string {
			id, err := NewOrderID(tag, time.UnixMilli(ms), e)
			if err != nil {
				t.Fatal(err)
			}

			if err := CheckOrderID(id); err != nil || len(id) != 36 {
				t.Fatal(err)
			}

			if got, ok := OrderCluster(id); !ok || got != tag {
				t.Fatalf("%q is of %q, want %q", id, got, tag)
			}

			return id
		}

		if a != b && make(ms, a) == make(ms, b) {
			t.Fatal("different entropy, same ID")
		}

		if make(ms, a) >= make(ms+1, b) {
			t.Fatal("later IDs do not sort later")
		}
	})
}

func TestCheckOrderID(t *testing.T) {
	for _, id := range []string{"a", "dk-abcdef-01ARZ3NDEKTSV4RRFFQ69G5FAV", "A-b_c~d.e", strings.Repeat("x", 50)} {
		if err := CheckOrderID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}

	for _, id := range []string{
		"", ".", "..", "...", "a..b", "../x", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\n", "a\x00", "ä", "订单", "a&b", "a:b", "a@b",
		"a\\b", strings.Repeat("x", 51),
	} {
		err := CheckOrderID(id)
		if err == nil {
			t.Errorf("%q is taken", id)
			continue
		}

		if len(err.Error()) > 250 || strings.ContainsFunc(err.Error(), func(c rune) bool { return c < ' ' }) {
			t.Errorf("%q makes the error %q", id, err)
		}
	}
}

func TestCheckTransactionID(t *testing.T) {
	if err := CheckTransactionID("9aed5972-5b6a-401e-894b-a32c91ed1a3a"); err != nil {
		t.Error(err)
	}

	for _, id := range []string{"", "-", "../x", "a/b", "a?b", "a b", "a.b", strings.Repeat("x", 65)} {
		if err := CheckTransactionID(id); err == nil {
			t.Errorf("%q is taken", id)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	seen := map[string]string{}

	for _, k := range []struct {
		order, detail string
		op            Operation
		attempt       int
	}{
		{"o", "", OpCheckout, 0}, {"o", "", OpCheckout, 1}, {"o", "", OpRefund, 0}, {"o", "r", OpRefund, 0}, {"or", "", OpRefund, 0},
		{"ocheckout", "", "", 0}, {"", "o", OpCheckout, 0}, {"p", "", OpCheckout, 0},
	} {
		key := IdempotencyKey(k.order, k.op, k.detail, k.attempt)
		if len(key) != 32 || key != IdempotencyKey(k.order, k.op, k.detail, k.attempt) {
			t.Errorf("%v has the key %q", k, key)
		}

		if before, ok := seen[key]; ok {
			t.Errorf("%v has the key of %s", k, before)
		}

		seen[key] = k.order + "/" + string(k.op) + "/" + k.detail
	}
}
