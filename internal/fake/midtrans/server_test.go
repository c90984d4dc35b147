package midtrans

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

func set(name string, v any) func(map[string]any) { return func(m map[string]any) { m[name] = v } }

// TestPages pins what Snap is documented to do with requests for pages.
func TestPages(t *testing.T) {
	cases := map[string]struct {
		reason string
		body   map[string]any
		key    string
		code   int
		says   string
	}{
		"Good":        {"Nothing but the order.", page("o-1", 10_000), secret, 201, ""},
		"WrongKey":    {"Not a merchant.", page("o-1", 10_000), "SB-Mid-server-other", 401, "Access denied"},
		"Zero":        {"Nothing to pay.", page("o-1", 0), secret, 400, "gross_amount"},
		"Decimal":     {"There are no half rupiah.", page("o-1", 1, set("transaction_details", map[string]any{"order_id": "o-1", "gross_amount": 1.5})), secret, 400, "gross_amount"},
		"OrderSlash":  {"Other symbols are declined.", page("o/1", 10_000), secret, 400, "order_id"},
		"OrderLong":   {"Fifty at most.", page(strings.Repeat("o", 51), 10_000), secret, 400, "order_id"},
		"ItemsDiffer": {"The sum has to be the gross amount.", page("o-1", 10_000, set("item_details", []any{map[string]any{"price": 9999, "quantity": 1}})), secret, 400, "item_details"},
		"ShortPage":   {"Five minutes at least.", page("o-1", 10_000, set("page_expiry", map[string]any{"unit": "minutes", "duration": 4})), secret, 400, "page_expiry"},
		"LongPage":    {"A week at most.", page("o-1", 10_000, set("page_expiry", map[string]any{"unit": "days", "duration": 8})), secret, 400, "page_expiry"},
		"OddUnit":     {"Minutes, hours and days.", page("o-1", 10_000, set("expiry", map[string]any{"unit": "weeks", "duration": 1})), secret, 400, "expiry"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			code, answer := ask(t, newServer(t, Options{}), http.MethodPost, "/snap/v1/transactions", tc.body, func(r *http.Request) { r.SetBasicAuth(tc.key, "") })
			if code != tc.code || !strings.Contains(fmt.Sprint(answer["error_messages"]), tc.says) || answer["status_code"] != nil {
				t.Errorf("%s\n%d %v, want %d %q", tc.reason, code, answer, tc.code, tc.says)
			}
		})
	}
}

// TestStates walks a payment through its states and tries, in each, everything that can be asked.
func TestStates(t *testing.T) {
	steps := map[string]func(*Server) error{
		"pending":    func(*Server) error { return nil },
		"settled":    func(s *Server) error { return s.Settle("o-1") },
		"captured":   func(s *Server) error { return s.Capture("o-1") },
		"challenged": func(s *Server) error { return s.Challenge("o-1") },
		"denied":     func(s *Server) error { return s.Deny("o-1") },
		"expired":    func(s *Server) error { return s.ExpirePayment("o-1") },
		"chargeback": func(s *Server) error { return s.Chargeback("o-1", 10_000) },
		"part back":  func(s *Server) error { return s.Chargeback("o-1", 4000) },
		"dashboard":  func(s *Server) error { return s.RefundAtDashboard("o-1", 10_000) },
	}

	want := map[string]map[string]string{
		"pending":    {"": "201 pending accept", "cancel": "200 cancel accept", "expire": "407 expire accept", "approve": "412", "deny": "412", "refund": "412"},
		"settled":    {"": "200 settlement accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "200 partial_refund accept"},
		"captured":   {"": "200 capture accept", "cancel": "200 cancel accept", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
		"challenged": {"": "201 capture challenge", "cancel": "200 cancel challenge", "expire": "412", "approve": "200 capture accept", "deny": "202 deny deny", "refund": "412"},
		"denied":     {"": "202 deny accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
		"expired":    {"": "407 expire accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
		"chargeback": {"": "200 chargeback accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
		"part back":  {"": "200 partial_chargeback accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
		"dashboard":  {"": "200 refund accept", "cancel": "412", "expire": "412", "approve": "412", "deny": "412", "refund": "412"},
	}

	for state, step := range steps {
		for action, expected := range want[state] {
			s := newServer(t, Options{})
			open(t, s, "o-1")

			if got := says(t, s, "o-1"); got != "404 <nil> <nil>" {
				t.Fatalf("before a method is chosen: %s", got)
			}

			if _, err := s.Choose("o-1", "credit_card"); err != nil {
				t.Fatal(err)
			}

			if err := step(s); err != nil {
				t.Fatal(err)
			}

			before := says(t, s, "o-1")
			got := before

			if action != "" {
				_, answer := ask(t, s, http.MethodPost, "/v2/o-1/"+action, map[string]any{"refund_key": "k", "amount": 1})
				got = fmt.Sprint(answer["status_code"])

				if got != "412" {
					got += fmt.Sprint(" ", answer["transaction_status"], " ", answer["fraud_status"])

					if after := says(t, s, "o-1"); after != got {
						t.Errorf("%s, %s: answers %s, and then says %s", state, action, got, after)
					}
				} else if after := says(t, s, "o-1"); after != before {
					t.Errorf("%s, %s: refused, and %s has become %s", state, action, before, after)
				}
			}

			if got != expected {
				t.Errorf("%s, %s: %s, want %s", state, action, got, expected)
			}
		}
	}
}

func TestRefundsOfTheFake(t *testing.T) {
	s := newServer(t, Options{Fee: 71})
	open(t, s, "o-1")

	if _, err := s.Pay("o-1", "other_qris"); err != nil {
		t.Fatal(err)
	}

	refund := func(path, key string, amount int) (int, map[string]any) {
		return ask(t, s, http.MethodPost, "/v2/o-1/"+path, map[string]any{"refund_key": key, "amount": amount, "reason": "r"})
	}

	for range 2 {
		if code, answer := refund("refund/online/direct", "a", 3000); code != 200 || answer["refund_amount"] != "3000.00" || answer["gross_amount"] != "10071.00" {
			t.Errorf("%d %v", code, answer)
		}
	}

	for _, amount := range []int{0, -1, 7072} {
		if code, answer := refund("refund", "b", amount); code != 414 {
			t.Errorf("%d: %d %v", amount, code, answer)
		}
	}

	if code, answer := refund("refund", "b", 7071); code != 200 || answer["transaction_status"] != "refund" {
		t.Errorf("%d %v", code, answer)
	}

	open(t, s, "o-2")

	if _, err := s.Pay("o-2", "ovo"); err != nil {
		t.Fatal(err)
	}

	if code, _ := ask(t, s, http.MethodPost, "/v2/o-2/refund/online/direct", map[string]any{"refund_key": "a", "amount": 1}); code != 412 {
		t.Errorf("a method without the direct way: %d", code)
	}
}

// TestIdempotencyKeysReplay as documented: whatever the body, whatever the endpoint, for five minutes, successes only.
func TestIdempotencyKeysReplay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newServer(t, Options{})
		with := func(r *http.Request) { r.Header.Set("Idempotency-Key", "k") }

		if code, _ := ask(t, s, http.MethodPost, "/v2/none/cancel", nil, with); code != 404 {
			t.Fatal("a failure")
		}

		_, first := ask(t, s, http.MethodPost, "/snap/v1/transactions", page("o-1", 10_000), with)
		_, second := ask(t, s, http.MethodPost, "/snap/v1/transactions", page("o-2", 1), with)

		if first["token"] == nil || first["token"] != second["token"] {
			t.Errorf("%v and %v", first, second)
		}

		time.Sleep(replayLife)

		if _, third := ask(t, s, http.MethodPost, "/snap/v1/transactions", page("o-2", 1), with); third["token"] == first["token"] {
			t.Error("it is replayed after five minutes")
		}
	})
}

// TestTimesRunOut: a pending payment expires and says so; a page that nobody has used expires silently.
func TestTimesRunOut(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s := newServer(t, Options{})
		s.Hold()

		hour := map[string]any{"unit": "hour", "duration": 1}
		open(t, s, "used", set("page_expiry", hour), set("expiry", map[string]any{"unit": "hour", "duration": 1, "start_time": payment.FormatStart(time.Now())}))
		open(t, s, "unused", set("page_expiry", hour))

		time.Sleep(30 * time.Minute)

		if _, err := s.Choose("used", "bca_va"); err != nil {
			t.Fatal(err)
		}

		time.Sleep(31 * time.Minute)

		if got := says(t, s, "used"); got != "407 expire <nil>" {
			t.Errorf("the used one: %s", got)
		}

		if got := says(t, s, "unused"); got != "404 <nil> <nil>" {
			t.Errorf("the unused one: %s", got)
		}

		if _, err := s.Choose("unused", "gopay"); err == nil {
			t.Error("a page that has expired can be used")
		}

		if held := s.Held(); len(held) != 2 || held[1].Status != payment.StatusExpire {
			t.Errorf("notified of %+v", held)
		}
	})
}

// TestButtons presses what people press, and reads what they read.
func TestButtons(t *testing.T) {
	press := func(t *testing.T, s *Server, path, button string) {
		t.Helper()

		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(url.Values{"button": {button}, "method": {"gopay"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")

		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)

		if w.Code != http.StatusSeeOther || strings.Contains(w.Header().Get("Location"), "error") {
			t.Errorf("%s: %d %s", button, w.Code, w.Header().Get("Location"))
		}
	}

	for buttons, want := range map[string]string{
		"pay": "settlement", "choose settle": "settlement", "choose deny": "deny", "choose expire": "expire", "challenge approve": "capture",
		"challenge approve settle": "settlement", "challenge deny": "deny", "pay deny": "deny", "pay chargeback": "chargeback", "choose deny pay": "settlement",
		"challenge approve cancel": "cancel",
	} {
		s := newServer(t, Options{})
		path := open(t, s, "o-1", set("item_details", []any{map[string]any{"name": "<script>x</script>", "price": 10_000, "quantity": 1}}), set("callbacks", map[string]any{"finish": "javascript:x"}))

		for _, button := range strings.Fields(buttons) {
			press(t, s, path, button)
		}

		text := get(s, path)
		if !strings.Contains(text, "<strong>"+want+"</strong>") || !strings.Contains(text, "Rp 10.000") || strings.Contains(text, "<script>") || strings.Contains(text, "javascript:") {
			t.Errorf("%s: want %s on\n%s", buttons, want, text)
		}

		if list := get(s, "/"); !strings.Contains(list, path) || !strings.Contains(list, want) {
			t.Errorf("%s: not on the list\n%s", buttons, list)
		}
	}

	s := newServer(t, Options{})
	if text := get(s, pagePath+"none"); !strings.Contains(text, "no longer there") {
		t.Errorf("a page that is none: %s", text)
	}
}

func get(s *Server, path string) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))

	return w.Body.String()
}
