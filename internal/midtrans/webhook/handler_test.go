package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/reconciler/payment"
)

const (
	secret = "SB-Mid-server-TOPsecret123"
	order1 = "dk-abcdef-01ARZ3NDEKTSV4RRFFQ69G5FAV"
)

func key(t testing.TB, text string) payment.ServerKey {
	t.Helper()

	k, err := payment.NewServerKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return k
}

// inbox is an Inbox in memory.
type inbox struct {
	mu    sync.Mutex
	kept  map[string]payment.Notification
	puts  int
	err   error
	hold  chan struct{}
	hints []string
}

// Put implements Inbox.
func (i *inbox) Put(ctx context.Context, n payment.Notification) error {
	if i.hold != nil {
		select {
		case <-i.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}

	i.mu.Lock()
	defer i.mu.Unlock()

	i.puts++
	if i.err != nil {
		return i.err
	}

	i.kept[n.OrderID+"/"+n.Digest] = n

	return nil
}

func (i *inbox) hint(orderID string) {
	i.mu.Lock()
	defer i.mu.Unlock()

	i.hints = append(i.hints, orderID)
}

// door is a handler with its inbox and its log.
type door struct {
	*Handler

	inbox *inbox
	log   bytes.Buffer
}

func newDoor(t *testing.T, edits ...func(*Options)) *door {
	t.Helper()

	d := &door{inbox: &inbox{kept: map[string]payment.Notification{}}}
	o := Options{
		Keys: []payment.ServerKey{key(t, secret), key(t, "Mid-server-the-next-one")}, Inbox: d.inbox, Hint: d.inbox.hint,
		Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}

	for _, edit := range edits {
		edit(&o)
	}

	var err error
	if d.Handler, err = New(o, prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() {
		if strings.Contains(d.log.String(), "TOPsecret") {
			t.Errorf("the key is logged:\n%s", d.log.String())
		}
	})

	return d
}

// body is a notification of an order, signed by a key.
func body(t testing.TB, by payment.ServerKey, edits ...func(map[string]any)) string {
	t.Helper()

	m := map[string]any{
		"order_id": order1, "status_code": "200", "gross_amount": "10000.00", "transaction_status": "settlement", "transaction_id": "tx-1",
		"signature_key": payment.Sign(order1, "200", "10000.00", by), "custom_field1": nil, "va_numbers": []any{map[string]any{"bank": "bca"}},
	}
	for _, edit := range edits {
		edit(m)
	}

	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}

	return string(raw)
}

func set(name string, v any) func(map[string]any) { return func(m map[string]any) { m[name] = v } }

func post(text string) *http.Request {
	return httptest.NewRequest(http.MethodPost, Path, strings.NewReader(text))
}

func (d *door) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)

	return w
}

func TestAnswers(t *testing.T) {
	good, next, foreign := key(t, secret), key(t, "Mid-server-the-next-one"), key(t, "Mid-server-of-a-stranger")

	cases := map[string]struct {
		reason  string
		request *http.Request
		err     error
		status  int
		verdict verdict
		kept    bool
	}{
		"Good":             {"Kept, and a hint.", post(body(t, good)), nil, 200, accepted, true},
		"NextKey":          {"Keys are being changed.", post(body(t, next)), nil, 200, accepted, true},
		"UnknownFields":    {"Midtrans adds fields.", post(body(t, good, set("new", map[string]any{"a": 1}))), nil, 200, accepted, true},
		"StatusSwapped":    {"A hint all the same: the status is asked for.", post(body(t, good, set("transaction_status", "refund"))), nil, 200, accepted, true},
		"ForeignKey":       {"Anybody can hash.", post(body(t, foreign)), nil, 401, wrongSignature, false},
		"NoSignature":      {"The dashboard's test button does that.", post(body(t, good, set("signature_key", nil))), nil, 401, wrongSignature, false},
		"OtherOrder":       {"A signature of another order.", post(body(t, good, set("order_id", "dk-abcdef-00000000000000000000000000"))), nil, 401, wrongSignature, false},
		"OtherGross":       {"The text is signed, not the number.", post(body(t, good, set("gross_amount", "10000"))), nil, 401, wrongSignature, false},
		"UnknownOrder":     {"Sending it again would not help.", post(body(t, good)), ErrUnknownOrder, 200, unknownOrder, false},
		"StoreDown":        {"Midtrans is to send it again.", post(body(t, good)), errors.New("etcd is away"), 503, unavailable, false},
		"NoJSON":           {"Nothing to read.", post("order_id=1"), nil, 400, malformed, false},
		"Empty":            {"Nothing to read.", post(""), nil, 400, malformed, false},
		"Null":             {"Nothing to read.", post("null"), nil, 400, malformed, false},
		"Two":              {"One at a time.", post(body(t, good) + body(t, good)), nil, 400, malformed, false},
		"Deep":             {"It would eat the stack.", post(body(t, good, set("x", json.RawMessage(strings.Repeat("[", 100)+strings.Repeat("]", 100))))), nil, 400, malformed, false},
		"OrderPath":        {"It would be a part of a URL.", post(body(t, good, set("order_id", "a/../b?x=1"))), nil, 400, malformed, false},
		"OrderNotASCII":    {"Midtrans takes none of these.", post(body(t, good, set("order_id", "ö"))), nil, 400, malformed, false},
		"OrderLong":        {"Midtrans takes 50.", post(body(t, good, set("order_id", strings.Repeat("a", 51)))), nil, 400, malformed, false},
		"Large":            {"It is read to a limit.", post(body(t, good, set("x", strings.Repeat("a", payment.MaxNotification)))), nil, 413, tooLarge, false},
		"LargeUnannounced": {"Also without a length.", unannounced(body(t, good, set("x", strings.Repeat("a", payment.MaxNotification)))), nil, 413, tooLarge, false},
		"Get":              {"Browsers look around.", httptest.NewRequest(http.MethodGet, Path, nil), nil, 405, wrongMethod, false},
		"Put":              {"Not this either.", httptest.NewRequest(http.MethodPut, Path, strings.NewReader(body(t, good))), nil, 405, wrongMethod, false},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			d.inbox.err = tc.err
			w := d.answer(tc.request)

			if w.Code != tc.status || testutil.ToFloat64(d.answers.WithLabelValues(string(tc.verdict))) != 1 {
				t.Errorf("%s\nanswered %d, want %d as %s", tc.reason, w.Code, tc.status, tc.verdict)
			}

			if w.Body.Len() != 0 || len(w.Header()["Content-Type"]) != 0 {
				t.Errorf("%s\na stranger learns %q %v", tc.reason, w.Body.String(), w.Header())
			}

			if got := len(d.inbox.kept) == 1 && len(d.inbox.hints) == 1; got != tc.kept {
				t.Errorf("%s\nkept %d, hinted %v", tc.reason, len(d.inbox.kept), d.inbox.hints)
			}

			if tc.status == 401 && d.inbox.puts != 0 {
				t.Errorf("%s\nthe store was asked for a stranger", tc.reason)
			}
		})
	}
}

// unannounced is a request whose length is not said.
func unannounced(text string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, Path, struct{ *strings.Reader }{strings.NewReader(text)})
	r.ContentLength = -1

	return r
}

// TestStrangersLearnNothing: whether an order exists makes no difference to who cannot sign.
func TestStrangersLearnNothing(t *testing.T) {
	known, unknown := newDoor(t), newDoor(t)
	unknown.inbox.err = ErrUnknownOrder

	a, b := known.answer(post(body(t, key(t, "Mid-server-of-a-stranger")))), unknown.answer(post(body(t, key(t, "Mid-server-of-a-stranger"))))
	if fmt.Sprint(a.Code, a.Header(), a.Body) != fmt.Sprint(b.Code, b.Header(), b.Body) {
		t.Errorf("%d %v and %d %v", a.Code, a.Header(), b.Code, b.Header())
	}
}

// TestAddressesAreLimited: one stranger is sent away, others are not, and neither is who can sign.
func TestAddressesAreLimited(t *testing.T) {
	d := newDoor(t)
	from := func(address, text string) int {
		r := post(text)
		r.RemoteAddr = address

		return d.answer(r).Code
	}

	for range addressBurst {
		if got := from("192.0.2.1:1000", "x"); got != 400 {
			t.Fatalf("within the burst: %d", got)
		}
	}

	if got := from("192.0.2.1:2000", "x"); got != http.StatusTooManyRequests {
		t.Errorf("after the burst: %d", got)
	}

	if got := from("192.0.2.2:1000", body(t, key(t, secret))); got != 200 {
		t.Errorf("another address: %d", got)
	}

	for i := range 3 * addressBurst {
		text := body(t, key(t, secret), set("order_id", fmt.Sprintf("o-%d", i)), set("signature_key", payment.Sign(fmt.Sprintf("o-%d", i), "200", "10000.00", key(t, secret))))
		if got := from("192.0.2.3:1000", text); got != 200 {
			t.Fatalf("notification %d of who can sign: %d", i, got)
		}
	}
}

// TestOrdersAreLimited: who has one good signature can make many bodies with it, and does not fill the store.
func TestOrdersAreLimited(t *testing.T) {
	d := newDoor(t)
	for i := range 200 {
		d.answer(post(body(t, key(t, secret), set("padding", i))))
	}

	if n := len(d.inbox.kept); n != orderBurst {
		t.Errorf("%d were kept", n)
	}
}

func TestNewRefuses(t *testing.T) {
	ok := Options{Keys: []payment.ServerKey{key(t, secret)}, Inbox: &inbox{}, Hint: func(string) {}}
	for name, edit := range map[string]func(*Options){
		"NoKeys": func(o *Options) { o.Keys = nil }, "EmptyKey": func(o *Options) { o.Keys = append(o.Keys, payment.ServerKey{}) },
		"NoInbox": func(o *Options) { o.Inbox = nil }, "NobodyToTell": func(o *Options) { o.Hint = nil },
	} {
		o := ok
		edit(&o)

		if _, err := New(o, nil); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestSlowStore: a store that hangs is an outage after seconds, not minutes.
func TestSlowStore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDoor(t)
		d.inbox.hold = make(chan struct{})
		begun := time.Now()

		if w := d.answer(post(body(t, key(t, secret)))); w.Code != 503 || time.Since(begun) != putTimeout {
			t.Errorf("answered %d after %s", w.Code, time.Since(begun))
		}
	})
}
