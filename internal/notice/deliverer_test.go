package notice

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/dogker/dogker/internal/controlplane/etcd"
	"github.com/dogker/dogker/internal/ledger"
	"github.com/dogker/dogker/reconciler/book"
)

var errBoom = errors.New("boom")

// post is one request that arrived.
type post struct {
	Message
	signature string
	body      []byte
}

// hook is an endpoint that answers as it is told.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(Message) int
	posts  []post
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{answer: func(Message) int { return http.StatusNoContent }}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		p := post{signature: r.Header.Get(SignatureHeader), body: body}
		if err != nil || json.Unmarshal(body, &p.Message) != nil || r.Method != http.MethodPost {
			t.Errorf("%s %q: %v", r.Method, body, err)
		}
		h.mu.Lock()
		h.posts = append(h.posts, p)
		code := h.answer(p.Message)
		h.mu.Unlock()
		if code/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(h.Close)

	return h
}

// ids are those of all notices that arrived since the last time, in order.
func (h *hook) ids() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, p := range h.posts {
		out = append(out, p.ID)
	}
	h.posts = nil

	return out
}

// box is an outbox in memory.
type box struct {
	pending []ledger.Pending
	written int64
	read    error
	taken   error
}

func (b *box) Outbox(_ context.Context, after int64, limit int) ([]ledger.Pending, error) {
	out := slices.DeleteFunc(slices.Clone(b.pending), func(p ledger.Pending) bool { return p.Revision <= after })

	return out[:min(limit, len(out))], b.read
}

func (b *box) Delivered(_ context.Context, p ledger.Pending) error {
	if b.taken != nil {
		return b.taken
	}
	b.pending = slices.DeleteFunc(b.pending, func(o ledger.Pending) bool { return o.Tenant == p.Tenant && o.ID == p.ID })

	return nil
}

// put puts a notice in, a second after the one before. Two at a time come out of one transaction.
func (b *box) put(tenant, id string) {
	n := b.written
	b.written++
	b.pending = append(b.pending, ledger.Pending{Revision: 100 + n/2, Notice: book.Notice{
		Tenant: tenant, ID: id, Kind: "LowBalance", Time: start.Add(time.Duration(n) * time.Second).Unix(), Seq: n,
	}})
}

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// room is a Deliverer with a clock of its own.
type room struct {
	*Deliverer
	*box
	*hook
	now      time.Time
	recorded []string
	reg      *prometheus.Registry
}

func newRoom(t *testing.T, secrets ...string) *room {
	t.Helper()
	r := &room{box: &box{}, hook: newHook(t), now: start.Add(time.Hour), reg: prometheus.NewPedanticRegistry()}
	var keys [][]byte
	for _, s := range secrets {
		keys = append(keys, []byte(s))
	}
	endpoint, err := NewEndpoint(r.URL, keys, "test")
	if err != nil {
		t.Fatal(err)
	}
	r.Deliverer, err = New(Options{
		Outbox: r.box, Endpoint: endpoint, Now: func() time.Time { return r.now }, Registerer: r.reg,
		Record: func(_ context.Context, p ledger.Pending) { r.recorded = append(r.recorded, p.ID) },
		Contacts: func(_ context.Context, tenant string) []Contact {
			return []Contact{{Email: "pay@" + tenant + ".example"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}

	return r
}

// after looks once more, so much later.
func (r *room) after(t *testing.T, d time.Duration) []string {
	t.Helper()
	r.now = r.now.Add(d)
	r.round(t.Context())

	return r.ids()
}

// TestDelivery: the oldest first, each once, with a signature that whoever has the secret can check.
func TestDelivery(t *testing.T) {
	r := newRoom(t, "the secret in use", "the secret before")
	r.put("zoo", "first")
	r.put("acme", "second")
	r.round(t.Context())
	r.hook.mu.Lock()
	posts := slices.Clone(r.posts)
	r.hook.mu.Unlock()

	if diff := cmp.Diff([]string{"zoo/first", "acme/second"}, r.ids()); diff != "" {
		t.Fatalf("delivered (-want +got):\n%s", diff)
	}
	want := Message{
		ID: "zoo/first", Tenant: "zoo", Kind: "LowBalance", Time: start, Text: "The balance is low.",
		Contacts: []Contact{{Email: "pay@zoo.example"}},
	}
	if diff := cmp.Diff(want, posts[0].Message); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	signed := func(secret string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", r.now.Unix(), posts[0].body)
		return hex.EncodeToString(mac.Sum(nil))
	}
	if want := fmt.Sprintf("t=%d,v1=%s,v1=%s", r.now.Unix(), signed("the secret in use"), signed("the secret before")); posts[0].signature != want {
		t.Errorf("signature\ngot  %s\nwant %s", posts[0].signature, want)
	}
	if again := r.after(t, time.Hour); again != nil || len(r.pending) > 0 {
		t.Errorf("delivered again: %v; in the outbox: %v", again, r.pending)
	}
	if diff := cmp.Diff([]string{"first", "second"}, r.recorded); diff != "" {
		t.Errorf("Events (-want +got):\n%s", diff)
	}
	if got := testutil.ToFloat64(r.Deliverer.metrics.deliveries.WithLabelValues(outcomeDelivered)); got != 2 {
		t.Errorf("%v are counted", got)
	}
}

// TestEndpointDown: one that takes nothing is left alone for growing pauses, and gets all when it is back, in order.
func TestEndpointDown(t *testing.T) {
	for _, code := range []int{http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusFound} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r := newRoom(t)
			r.answer = func(Message) int { return code }
			r.put("acme", "a")
			r.put("acme", "b")

			if got := r.after(t, 0); len(got) != 1 {
				t.Fatalf("an endpoint that is down was asked %d times in one look: %v", len(got), got)
			}
			tries := 0
			for range 60 * 60 {
				tries += len(r.after(t, time.Second))
			}
			if tries < 5 || tries > 20 {
				t.Errorf("it was asked %d times in an hour", tries)
			}
			if len(r.recorded) != 2 {
				t.Errorf("Events wait for the endpoint: %v", r.recorded)
			}
			if age := testutil.ToFloat64(r.Deliverer.metrics.oldest); age < 3600 || testutil.ToFloat64(r.Deliverer.metrics.waiting) != 2 {
				t.Errorf("the oldest is shown to be %v s old", age)
			}
			r.answer = func(Message) int { return http.StatusOK }
			if diff := cmp.Diff([]string{"acme/a", "acme/b"}, r.after(t, time.Hour)); diff != "" {
				t.Errorf("when it is back (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyWait: however many wait for the endpoint, each has its Event at once, and one only.
func TestManyWait(t *testing.T) {
	r := newRoom(t)
	r.answer = func(Message) int { return http.StatusServiceUnavailable }
	r.written = 1 // The first is alone, so that batches end in the middle of a transaction.
	var want []string
	for i := range 2*batch + 1 {
		want = append(want, fmt.Sprint(i))
		r.put("acme", want[i])
	}
	r.after(t, 0)
	r.after(t, time.Minute)
	if diff := cmp.Diff(want, r.recorded); diff != "" {
		t.Fatalf("Events (-want +got):\n%s", diff)
	}
	r.put("zoo", "new")
	r.after(t, time.Second)
	if got := r.recorded[len(want):]; !slices.Equal(got, []string{"new"}) {
		t.Errorf("afterwards there are Events of %v, want the new one", got)
	}
}

// TestSlowEndpoint: one that takes its time keeps no Event waiting for long.
func TestSlowEndpoint(t *testing.T) {
	r := newRoom(t)
	r.o.Contacts = func(context.Context, string) []Contact {
		r.now = r.now.Add(postTimeout - time.Second)
		return nil
	}
	for i := range 20 {
		r.put("acme", fmt.Sprint(i))
	}
	before := r.now
	if got := r.after(t, 0); len(got) == 0 || r.now.Sub(before) > shift+postTimeout {
		t.Fatalf("the first look delivers %v, and takes %s", got, r.now.Sub(before))
	}
	r.put("acme", "new")
	if wait := r.round(t.Context()); wait > breath {
		t.Errorf("it looks again in %s, though more can be delivered", wait)
	}
	if !slices.Contains(r.recorded, "new") {
		t.Errorf("Events: %v", r.recorded)
	}
}

// TestRefused: a notice that the endpoint does not like waits alone, and is given up in the end.
func TestRefused(t *testing.T) {
	r := newRoom(t)
	r.answer = func(m Message) int {
		if m.ID == "acme/bad" {
			return http.StatusBadRequest
		}
		return http.StatusOK
	}
	r.put("acme", "bad")
	r.put("acme", "good")
	if diff := cmp.Diff([]string{"acme/bad", "acme/good"}, r.after(t, 0)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if got := r.after(t, time.Second/2); got != nil {
		t.Errorf("asked again at once: %v", got)
	}
	if got := r.after(t, time.Hour); len(got) != 1 {
		t.Errorf("not asked again: %v", got)
	}
	if got := r.after(t, stale); got != nil || len(r.pending) > 0 {
		t.Errorf("after a week: %v, in the outbox %v", got, r.pending)
	}
	if got := testutil.ToFloat64(r.Deliverer.metrics.deliveries.WithLabelValues(outcomeGivenUp)); got != 1 {
		t.Errorf("%v are counted as given up", got)
	}
}

// TestStoreDown: what cannot be taken out of the outbox is delivered once more, with the same id.
func TestStoreDown(t *testing.T) {
	r := newRoom(t)
	r.put("acme", "a")
	r.taken = errBoom
	r.after(t, 0)
	r.taken = nil
	if diff := cmp.Diff([]string{"acme/a"}, r.after(t, time.Minute)); diff != "" || len(r.pending) > 0 {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.recorded) != 1 {
		t.Errorf("Events: %v", r.recorded)
	}
	r.read = errBoom
	if wait := r.round(t.Context()); wait != poll {
		t.Errorf("it looks again in %s", wait)
	}
}

// TestEventsAlone: without an endpoint an Event is all there is, and nothing waits.
func TestEventsAlone(t *testing.T) {
	r := newRoom(t)
	r.o.Endpoint = nil
	r.put("acme", "a")
	if got := r.after(t, 0); got != nil || len(r.pending) > 0 || len(r.recorded) != 1 {
		t.Errorf("posted %v, in the outbox %v, Events %v", got, r.pending, r.recorded)
	}
}

// TestLedger: from the transaction in which it was decided to the endpoint.
func TestLedger(t *testing.T) {
	store, err := etcd.Open(t.Context(), etcd.Config{Dir: filepath.Join(t.TempDir(), "etcd"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	l, err := ledger.NewLeader(ledger.New(store.Client, time.Now), ledger.LeaderOptions{Holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h := newHook(t)
	endpoint, err := NewEndpoint(h.URL, nil, "test")
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(Options{Outbox: l, Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	l.Subscribe(d.Wake)

	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	for _, run := range []func(context.Context) error{l.Start, d.Start} {
		group.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	_, err = l.Do(t.Context(), book.Request{
		Tenant: "acme", Op: book.TopUp{Order: "o1", Transaction: "t1", Amount: 1_000_000},
		Decide: func(book.Head, book.Outcome) book.Decision {
			return book.Decision{Notices: []book.Notice{{ID: "paid:1", Kind: "PaymentReceived", Time: time.Now().Unix()}}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got := h.ids(); len(got) > 0 {
			if diff := cmp.Diff([]string{"acme/paid:1"}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing arrived")
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		left, err := l.Outbox(t.Context(), 0, 10)
		if err != nil || len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the outbox still has %v", left)
		}
	}
}

func TestNewEndpoint(t *testing.T) {
	for address, fine := range map[string]bool{
		"https://hooks.example.com/dogker?team=1": true, "http://10.0.0.1:8080": true,
		"hooks.example.com": false, "ftp://hooks.example.com": false, "https://": false, "https://user:word@example.com": false, "https://example.com/#x": false, "://": false,
	} {
		_, err := NewEndpoint(address, nil, "test")
		if (err == nil) != fine || err != nil && (!strings.HasPrefix(err.Error(), "--notice-webhook-url: ") || strings.Contains(err.Error(), "word")) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestReadSecrets(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		want         int
	}{
		"One":      {"One is enough.", "# since June\n\n a-secret-of-some-length \n", 1},
		"Two":      {"Two while it is changed.", "a-secret-of-some-length\nanother-secret-of-some-length\n", 2},
		"None":     {"A file without any is a mistake.", "# nothing\n", 0},
		"Three":    {"So is a file with many.", strings.Repeat("a-secret-of-some-length\n", 3), 0},
		"Short":    {"What is short can be guessed.", "short\n", 0},
		"TooLarge": {"It is some other file.", strings.Repeat("a-secret-of-some-length", 1000), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "secrets")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadSecrets(path)
			if len(got) != tc.want || (err == nil) != (tc.want > 0) {
				t.Errorf("%s\n%d secrets, %v", tc.reason, len(got), err)
			}
			if err != nil && (strings.Contains(err.Error(), "a-secret") || strings.Contains(err.Error(), `"short"`)) {
				t.Errorf("the error has a secret in it: %v", err)
			}
		})
	}
	if _, err := ReadSecrets(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
