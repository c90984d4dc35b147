package midtrans

import (
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/payment"
)

// listener notes when notifications come, and answers each with the next of its statuses, or the last.
type listener struct {
	t        *testing.T
	begun    time.Time
	statuses []int

	mu     sync.Mutex
	at     []time.Duration
	bodies []payment.Notification
}

// heard is what has come so far, and when.
func (l *listener) heard() ([]time.Duration, []payment.Notification) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return slices.Clone(l.at), slices.Clone(l.bodies)
}

// ServeHTTP implements http.Handler.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Error(err)
	}

	n, err := payment.ParseNotification(raw)
	if err != nil {
		l.t.Error(err)
	}

	l.mu.Lock()
	defer l.mu.Unlock()

	l.at, l.bodies = append(l.at, time.Since(l.begun)), append(l.bodies, n)
	w.WriteHeader(l.statuses[min(len(l.at), len(l.statuses))-1])
}

// TestRepetitions pins how often and when Midtrans repeats what was answered how.
func TestRepetitions(t *testing.T) {
	minutes := func(n ...int) (all []time.Duration) {
		for _, m := range n {
			all = append(all, time.Duration(m)*time.Minute)
		}

		return all
	}

	for status, want := range map[int][]time.Duration{
		200: minutes(0), 202: minutes(0), 302: minutes(0), 500: minutes(0, 2), 400: minutes(0, 2, 10), 404: minutes(0, 2, 10),
		503: minutes(0, 2, 10, 30, 90), 401: minutes(0, 2, 10, 30, 90, 210), 429: minutes(0, 2, 10, 30, 90, 210),
	} {
		inBubble(t, func(t *testing.T) {
			l := &listener{t: t, begun: time.Now(), statuses: []int{status}}
			s := New(Options{
				Key: key(t, secret), NotifyURL: "http://dogker.example.com/",
				Client: &http.Client{Transport: memory{l}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
			})
			defer s.Close()

			open(t, s, "o-1")

			if _, err := s.Choose("o-1", "gopay"); err != nil {
				t.Fatal(err)
			}

			time.Sleep(24 * time.Hour)

			if got, _ := l.heard(); !slices.Equal(want, got) {
				t.Errorf("answered with %d it came at %v, want %v", status, got, want)
			}
		})
	}
}

// TestRepetitionEnds: once it is answered well there is no more.
func TestRepetitionEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := &listener{t: t, begun: time.Now(), statuses: []int{503, 401, 200}}
		s := New(Options{Key: key(t, secret), NotifyURL: "http://dogker.example.com/", Client: &http.Client{Transport: memory{l}}})

		defer s.Close()
		open(t, s, "o-1")

		if _, err := s.Pay("o-1", "gopay"); err != nil {
			t.Fatal(err)
		}

		time.Sleep(24 * time.Hour)

		at, bodies := l.heard()
		if len(at) != 4 {
			t.Errorf("it came at %v", at)
		}

		for _, n := range bodies {
			if n.SignedBy(key(t, secret)) != 0 {
				t.Errorf("%s is not signed", n.Raw)
			}
		}
	})
}

// TestCloseEndsWhatIsOnItsWay: no goroutine is left, although there are repetitions to come.
func TestCloseEndsWhatIsOnItsWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		l := &listener{t: t, begun: time.Now(), statuses: []int{503}}
		s := New(Options{Key: key(t, secret), NotifyURL: "http://dogker.example.com/", Client: &http.Client{Transport: memory{l}}})
		open(t, s, "o-1")

		if _, err := s.Pay("o-1", "gopay"); err != nil {
			t.Fatal(err)
		}

		synctest.Wait()
		s.Close()

		if at, _ := l.heard(); len(at) != 2 || time.Since(l.begun) != 0 {
			t.Errorf("it came at %v", at)
		}
	})
}

// TestHeldNotifications can be sent in any order and any number, and changed without a new signature.
func TestHeldNotifications(t *testing.T) {
	l := &listener{t: t, begun: time.Now(), statuses: []int{200}}
	s := newServer(t, Options{NotifyURL: "http://dogker.example.com/", Client: &http.Client{Transport: memory{l}}})
	s.Hold()
	open(t, s, "o-1")

	if _, err := s.Pay("o-1", "gopay"); err != nil {
		t.Fatal(err)
	}

	held := s.Held()
	slices.Reverse(held)

	forged := held[0].Edited(func(body map[string]any) { body["gross_amount"] = "99999.00" })
	swapped := held[0].Edited(func(body map[string]any) { body["transaction_status"] = "refund" })

	for _, n := range append(held, held[0], forged, swapped) {
		if status, err := s.Deliver(t.Context(), n); status != 200 || err != nil {
			t.Fatalf("%d %v", status, err)
		}
	}

	_, bodies := l.heard()

	var got []string
	for _, n := range bodies {
		signed := " forged"
		if n.SignedBy(key(t, secret)) == 0 {
			signed = ""
		}

		got = append(got, string(n.Transaction)+signed)
	}

	if diff := cmp.Diff([]string{"settlement", "pending", "settlement", "settlement forged", "refund"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
