package payment

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// settledAnswer is an answer as Midtrans documents it, with the fields of a card and of a fee.
const settledAnswer = `{
  "status_code": "200", "status_message": "Success, transaction is found",
  "transaction_id": "9aed5972-5b6a-401e-894b-a32c91ed1a3a", "order_id": "dk-abcdef-01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "gross_amount": "10071.00", "currency": "IDR", "payment_type": "credit_card", "merchant_id": "G123456789",
  "transaction_time": "2026-11-22 09:00:00", "settlement_time": "2026-11-23 16:00:00", "expiry_time": "not a time",
  "transaction_status": "partial_refund", "fraud_status": "accept", "masked_card": "48111111-1114", "installment_term": "3",
  "refund_amount": "3000.00",
  "refunds": [{"refund_chargeback_id": 1, "refund_amount": "3000.00", "refund_key": "r-1", "bank_confirmed_at": "2026-11-24 00:00:01"}],
  "metadata": {"extra_info": {"gross_amount_info": {"original_amount": "10000", "gross_amount": "10071", "customer_imposed_payment_fee": 71}}}
}`

func TestStatusOfAnswer(t *testing.T) {
	a, err := ParseAnswer([]byte(settledAnswer))
	if err != nil {
		t.Fatal(err)
	}

	got, err := a.Status()
	if err != nil {
		t.Fatal(err)
	}

	want := Status{
		OrderID: orderID, TransactionID: "9aed5972-5b6a-401e-894b-a32c91ed1a3a", Code: "200",
		Transaction: StatusPartialRefund, Fraud: FraudAccept, Gross: "10071.00", Currency: "IDR", MerchantID: merchant, Type: "credit_card",
		Fee:     &FeeInfo{Original: "10000", Gross: "10071", Fee: "71"},
		Created: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), Settled: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		Refunds:     []RefundEntry{{Key: "r-1", Amount: "3000.00", Confirmed: time.Date(2026, 11, 23, 17, 0, 1, 0, time.UTC)}},
		RefundTotal: "3000.00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMalformedFields(t *testing.T) {
	cases := map[string]struct {
		reason, body string
		want         []string
	}{
		"GrossIsANumber":   {"10000 and 1e4 are the same number and different texts.", `"gross_amount": 10000`, []string{"gross_amount"}},
		"CodeIsANumber":    {"Only the text 200 credits.", `"status_code": 200`, []string{"status_code"}},
		"RefundsNoList":    {"A list that is none may hide refunds.", `"refunds": {"a": 1}`, []string{"refunds"}},
		"RefundIsANumber":  {"The same as gross.", `"refunds": [{"refund_key": "a", "refund_amount": 1}]`, []string{"refunds[0].refund_amount"}},
		"FeeIsANumber":     {"It has been seen as both.", `"metadata": {"extra_info": {"gross_amount_info": {"original_amount": 1}}}`, nil},
		"FeeIsAList":       {"It has not been seen as that.", `"metadata": {"extra_info": {"gross_amount_info": {"original_amount": []}}}`, []string{"metadata.extra_info.gross_amount_info.original_amount"}},
		"MetadataIsText":   {"What merchants put there is theirs.", `"metadata": "hello"`, nil},
		"UnknownIsStrange": {"Fields that nobody reads may be anything.", `"installment_term": [{}]`, nil},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			a, err := ParseAnswer([]byte(`{"order_id": "a", "transaction_id": "t", "transaction_status": "pending", ` + tc.body + `}`))
			if err != nil {
				t.Fatal(err)
			}

			got, err := a.Status()
			if err != nil {
				t.Fatal(err)
			}

			if !slices.Equal(got.Malformed, tc.want) {
				t.Errorf("%s\nmalformed are %v, want %v", tc.reason, got.Malformed, tc.want)
			}
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "<html>", "{", `{"a":1}{}`, `"ok"`, "200"} {
		if _, err := ParseAnswer([]byte(body)); err == nil {
			t.Errorf("%q is an answer", body)
		}
	}

	for _, body := range []string{
		`{}`, `{"status_code":"200"}`, `{"order_id":"a","transaction_status":"settlement"}`, `{"order_id":"a","transaction_id":"t"}`,
		`{"transaction_id":"t","transaction_status":"settlement"}`, `{"order_id":null,"transaction_id":"t","transaction_status":"settlement"}`,
	} {
		a, err := ParseAnswer([]byte(body))
		if err != nil {
			t.Fatal(err)
		}

		if s, err := a.Status(); err == nil {
			t.Errorf("%s is the status %+v", body, s)
		}
	}
}

func TestDuplicateIsSaidInWords(t *testing.T) {
	for body, want := range map[string]bool{
		`{"error_messages":["transaction_details.order_id sudah digunakan"]}`:        true,
		`{"error_messages":["transaction_details.order_id has already been taken"]}`: true,
		`{"error_messages":["a","Order_ID SUDAH DIGUNAKAN"]}`:                        true,
		`{"error_messages":["transaction_details.gross_amount is required"]}`:        false,
		`{"error_messages":"order_id sudah digunakan"}`:                              false,
		`{}`: false,
	} {
		a, err := ParseAnswer([]byte(body))
		if err != nil {
			t.Fatal(err)
		}

		if a.Duplicate() != want {
			t.Errorf("%s is a duplicate: %v", body, !want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-22 09:00:00": "2026-11-22T02:00:00Z", "2026-01-01 00:00:00": "2025-12-31T17:00:00Z", "2026-11-22 09:00:00 +0700": "2026-11-22T02:00:00Z",
		"2026-11-22 09:00:00 +0000": "2026-11-22T09:00:00Z",
	} {
		if got, err := ParseTime(text); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q is %s, %v, want %s", text, got, err, want)
		}
	}

	for _, text := range []string{"", "2026-11-22", "22-11-2026 09:00:00", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "2026-11-22T09:00:00Z", "0"} {
		if got, err := ParseTime(text); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}

	at := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	if got := FormatStart(at); got != "2026-11-23 03:00:00 +0700" {
		t.Errorf("written as %q", got)
	}

	if got, err := ParseTime(FormatTime(at)); err != nil || !got.Equal(at) {
		t.Errorf("read back as %s, %v", got, err)
	}
}

// FuzzAnswer: no body makes the readers panic, and whatever is read ends in a decision that does not credit without all
// that a credit needs.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(settledAnswer))
	f.Add([]byte(`{"order_id":"` + orderID + `","transaction_id":"tx-1","status_code":"200","transaction_status":"settlement","gross_amount":"10000.00","currency":"IDR","merchant_id":"` + merchant + `"}`))
	f.Add([]byte(`{"status_code":"404","status_message":"Transaction doesn't exist."}`))

	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseAnswer(raw)
		if err != nil {
			return
		}

		_, _ = a.Checkout()
		_, _ = a.Receipt()
		a.Duplicate()

		s, err := a.Status()
		if err != nil {
			return
		}

		j := Judge(open(), s)
		if !slices.Contains(Decisions, j.Decision) {
			t.Errorf("%q is no decision", j.Decision)
		}

		if j.Decision == Credit && (s.Code != "200" || s.OrderID != orderID || s.Currency != "IDR" || s.MerchantID != merchant || j.Amount != 10_000) {
			t.Errorf("%+v is credited with %d", s, j.Amount)
		}
	})
}
