package payment

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func signed(t testing.TB, by ServerKey, edits ...func(map[string]any)) []byte {
	t.Helper()

	body := map[string]any{
		"order_id": orderID, "status_code": "200", "gross_amount": "10000.00", "transaction_status": "settlement",
		"signature_key": Sign(orderID, "200", "10000.00", by),
	}
	for _, edit := range edits {
		edit(body)
	}

	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}

	return raw
}

func TestSign(t *testing.T) {
	// As documented, computed without our code.
	sum := sha512.Sum512([]byte(orderID + "200" + "10000.00" + secret))
	if got := Sign(orderID, "200", "10000.00", key(t, secret)); got != hex.EncodeToString(sum[:]) {
		t.Errorf("signed %s", got)
	}
}

func TestSignedBy(t *testing.T) {
	current, next, foreign := key(t, secret), key(t, "Mid-server-the-next-one"), key(t, "Mid-server-of-a-stranger")
	set := func(name string, v any) func(map[string]any) { return func(b map[string]any) { b[name] = v } }

	cases := map[string]struct {
		reason string
		raw    []byte
		want   int
	}{
		"Current":        {"The key in use.", signed(t, current), 0},
		"Next":           {"Keys are being changed.", signed(t, next), 1},
		"Foreign":        {"Anybody can hash.", signed(t, foreign), -1},
		"StatusSwapped":  {"The signature does not cover it, which is why the status is asked for.", signed(t, current, set("transaction_status", "refund")), 0},
		"UpperCase":      {"Midtrans writes lower case.", signed(t, current, func(b map[string]any) { b["signature_key"] = strings.ToUpper(b["signature_key"].(string)) }), -1},
		"Truncated":      {"A part of it is none.", signed(t, current, func(b map[string]any) { b["signature_key"] = b["signature_key"].(string)[:126] }), -1},
		"Longer":         {"More than it is none.", signed(t, current, func(b map[string]any) { b["signature_key"] = b["signature_key"].(string) + "00" }), -1},
		"Missing":        {"Not signed.", signed(t, current, func(b map[string]any) { delete(b, "signature_key") }), -1},
		"Zeros":          {"What a failed decoding leaves.", signed(t, current, set("signature_key", strings.Repeat("0", 128))), -1},
		"NotHex":         {"Right length, wrong alphabet.", signed(t, current, set("signature_key", strings.Repeat("g", 128))), -1},
		"OtherOrder":     {"It was made for another order.", signed(t, current, set("order_id", "dk-abcdef-00000000000000000000000000")), -1},
		"OtherGross":     {"10000 is not 10000.00: the text is signed.", signed(t, current, set("gross_amount", "10000")), -1},
		"GrossAsNumber":  {"The number's text is another.", signed(t, current, set("gross_amount", 10000)), -1},
		"CodeAsNumber":   {"The number's text is the same.", signed(t, current, set("status_code", 200)), 0},
		"SignatureArray": {"No text at all.", signed(t, current, set("signature_key", []string{"a"})), -1},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			n, err := ParseNotification(tc.raw)
			if err != nil {
				t.Fatal(err)
			}

			if got := n.SignedBy(current, next); got != tc.want {
				t.Errorf("%s\nsigned by %d, want %d", tc.reason, got, tc.want)
			}
		})
	}

	n, err := ParseNotification(signed(t, ServerKey{}))
	if err != nil {
		t.Fatal(err)
	}

	if got := n.SignedBy(ServerKey{}, current); got != -1 {
		t.Errorf("the empty key has signed as key %d: anybody could", got)
	}

	if got := n.SignedBy(); got != -1 {
		t.Errorf("no key at all has signed as key %d", got)
	}
}
