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

func TestOrderIDOf(t *testing.T) {
	created := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	const uid = "0b6c1f2e-7d6a-4a57-9a3f-0d6f8f6f4a11"

	id, err := OrderIDOf("abcde7", uid, created)
	if err != nil || CheckOrderID(id) != nil {
		t.Fatalf("got %q, %v", id, err)
	}

	for name, tc := range map[string]struct {
		reason, uid string
		created     time.Time
		same        bool
	}{
		"Again":     {"Nothing is stored, so it must be the same whoever asks.", uid, created, true},
		"OtherZone": {"A time is a time wherever it is read.", uid, created.In(time.FixedZone("", 7*3600)), true},
		"OtherUID":  {"A TopUp of the same name, made anew, is another order.", "0b6c1f2e-7d6a-4a57-9a3f-0d6f8f6f4a12", created, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := OrderIDOf("abcde7", tc.uid, tc.created)
			if err != nil || (got == id) != tc.same {
				t.Errorf("%s\ngot %q, %v, before %q", tc.reason, got, err, id)
			}
		})
	}

	if id, err := OrderIDOf("abcde7", "", created); err == nil {
		t.Errorf("an object that was not created has the order %q", id)
	}
}

func TestRefundKey(t *testing.T) {
	for text, same := range map[string]bool{
		"": true, "0b6c1f2e-7d6a-4a57-9a3f-0d6f8f6f4a11": true, "dashboard-1": true,
		"a/b": false, "a:b": false, "with space": false, strings.Repeat("k", 65): false, "ключ": false,
	} {
		key := RefundKey(text)
		if (key == text) != same || !same && !refundKey.MatchString(key) {
			t.Errorf("RefundKey(%q) = %q", text, key)
		}
	}
}
