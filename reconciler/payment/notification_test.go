package payment

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseNotification(t *testing.T) {
	n, err := ParseNotification([]byte(` {"order_id":"a-1","status_code":"200","gross_amount":"10000.00","signature_key":"00","transaction_status":"settlement","transaction_id":"t","what":{"is":["this"]}} ` + "\n"))
	if err != nil {
		t.Fatal(err)
	}

	if n.OrderID != "a-1" || n.Code != "200" || n.Gross != "10000.00" || n.Signature != "00" || n.Transaction != StatusSettlement || n.TransactionID != "t" || len(n.Digest) != 64 {
		t.Errorf("read %+v", n)
	}

	bad := map[string]string{
		"Empty": "", "NotJSON": "order_id=a-1", "HTML": "<html>", "Null": "null", "Array": `[{"order_id":"a"}]`, "String": `"a"`, "Number": "1e400",
		"Cut": `{"order_id":"a`, "TwoObjects": `{"order_id":"a"}{"order_id":"b"}`, "SomethingAfter": `{"order_id":"a"} x`,
		"Deep": `{"order_id":"a","x":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "VeryDeep": strings.Repeat(`{"a":`, 10_000),
		"NoOrder": `{"status_code":"200"}`, "OrderNull": `{"order_id":null}`, "OrderPath": `{"order_id":"a/../b"}`, "OrderQuery": `{"order_id":"a?b=1"}`,
		"OrderDots": `{"order_id":".."}`, "OrderNotASCII": `{"order_id":"ä"}`, "OrderLong": `{"order_id":"` + strings.Repeat("a", 51) + `"}`,
		"OrderNotUTF8": "{\"order_id\":\"a\xff\"}", "OrderObject": `{"order_id":{"a":1}}`, "OtherCase": `{"Order_ID":"a"}`,
		"Large": `{"order_id":"a","x":"` + strings.Repeat("a", MaxNotification) + `"}`,
	}
	for name, body := range bad {
		if n, err := ParseNotification([]byte(body)); err == nil {
			t.Errorf("%s is read as %+v", name, n)
		}
	}
}

// TestDepthIgnoresStrings: brackets in texts are texts.
func TestDepthIgnoresStrings(t *testing.T) {
	for body, want := range map[string]int{
		``: 0, `{}`: 1, `{"a":[{}]}`: 3, `{"a":"[[[["}`: 1, `{"a":"\"[[[","b":[]}`: 2, `{"a":"\\","b":[[]]}`: 3, `[][][]`: 1,
	} {
		if got := depth([]byte(body)); got != want {
			t.Errorf("%s has the depth %d, want %d", body, got, want)
		}
	}
}

// FuzzParseNotification: no body makes it panic, what is read has a usable order ID, and reading twice is the same.
func FuzzParseNotification(f *testing.F) {
	k := key(f, secret)

	for _, seed := range [][]byte{
		signed(f, k), []byte("null"), []byte("{}"), []byte(`{"order_id":1}`), []byte(`{"order_id":"a","order_id":"b"}`), []byte(`{"order_id":"a"`),
		[]byte(`{"order_id":"a","gross_amount":1e400}`),
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, raw []byte) {
		n, err := ParseNotification(raw)
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}

			return
		}

		if CheckOrderID(n.OrderID) != nil || !bytes.Equal(n.Raw, raw) {
			t.Errorf("read %+v", n)
		}

		again, err := ParseNotification(raw)
		if err != nil || again.Digest != n.Digest || again.SignedBy(k) != n.SignedBy(k) {
			t.Errorf("read again: %+v, %v", again, err)
		}

		if n.SignedBy(k) >= 0 && n.Signature != Sign(n.OrderID, n.Code, n.Gross, k) {
			t.Errorf("%+v counts as signed", n)
		}
	})
}
