package webhook

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/reconciler/payment"
)

func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// TestFloodIsBounded: whatever comes at once, a bounded part of it is worked on, the rest is sent away at once, and when it
// is over everything works.
func TestFloodIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		d := newDoor(t)
		d.inbox.hold = make(chan struct{})

		const strangers = 1000

		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			seen = map[int]int{}
		)

		for i := range strangers {
			wg.Go(func() {
				id := fmt.Sprintf("o-%d", i)
				r := post(body(t, key(t, secret), set("order_id", id), set("signature_key", payment.Sign(id, "200", "10000.00", key(t, secret)))))
				r.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1", i/250, i%250)
				code := d.answer(r).Code

				mu.Lock()
				defer mu.Unlock()

				seen[code]++
			})
		}

		synctest.Wait()

		if len(d.places) != atOnce {
			t.Errorf("%d are worked on at once, want %d", len(d.places), atOnce)
		}

		close(d.inbox.hold)
		wg.Wait()

		if seen[200] != atOnce || seen[503] != strangers-atOnce {
			t.Errorf("answers: %v", seen)
		}

		d.inbox.hold = nil
		if w := d.answer(post(body(t, key(t, secret)))); w.Code != 200 || len(d.places) != 0 {
			t.Errorf("after the flood: %d, %d places taken", w.Code, len(d.places))
		}
	})
}

// TestFloodOverTheNetwork: bodies of the largest size from more connections than are taken, and a notification of Midtrans'
// in between. Memory stays, and the notification arrives.
func TestFloodOverTheNetwork(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.Log = slog.New(slog.DiscardHandler) })
	url := serve(t, d)

	var before, after runtime.MemStats

	runtime.GC()
	runtime.ReadMemStats(&before)

	large := strings.Repeat("a", payment.MaxNotification-100)

	var (
		wg   sync.WaitGroup
		sent atomic.Int32
	)

	for range 16 {
		wg.Go(func() {
			for range 50 {
				answer, err := http.Post(url, "application/json", strings.NewReader(large))
				if err != nil {
					continue
				}

				sent.Add(1)
				_ = answer.Body.Close()
			}
		})
	}

	answer, err := (&http.Client{Timeout: 10 * time.Second}).Post(url, "application/json", strings.NewReader(body(t, key(t, secret))))
	wg.Wait()

	// The flood comes from the address of the notification, so it may be among those that are sent away. Midtrans repeats
	// it; here a moment later.
	for tries := 0; err == nil && answer.StatusCode == http.StatusTooManyRequests && tries < 10; tries++ {
		time.Sleep(addressInterval / 2)

		_ = answer.Body.Close()
		answer, err = http.Post(url, "application/json", strings.NewReader(body(t, key(t, secret))))
	}

	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("the notification: %v, %v", answer, err)
	}

	_ = answer.Body.Close()

	runtime.GC()
	runtime.ReadMemStats(&after)

	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); sent.Load() < 400 || grown > 8<<20 {
		t.Errorf("%d requests made memory grow by %d bytes", sent.Load(), grown)
	}
}

// TestServerLimits: what takes its time is cut off, what is not the webhook is not there, and the end is orderly.
func TestServerLimits(t *testing.T) {
	s := NewServer(http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	for name, set := range map[string]bool{
		"ReadHeaderTimeout": s.ReadHeaderTimeout > 0 && s.ReadHeaderTimeout <= 5*time.Second, "ReadTimeout": s.ReadTimeout > 0 && s.ReadTimeout <= 10*time.Second,
		"WriteTimeout": s.WriteTimeout > 0 && s.WriteTimeout <= 15*time.Second, "MaxHeaderBytes": s.MaxHeaderBytes > 0 && s.MaxHeaderBytes <= 16<<10,
	} {
		if !set {
			t.Errorf("%s is not limited", name)
		}
	}

	url := serve(t, newDoor(t))

	answer, err := http.Get(strings.TrimSuffix(url, Path) + "/metrics")
	if err != nil {
		t.Fatal(err)
	}

	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()

	if answer.StatusCode != http.StatusNotFound || len(text) != 0 {
		t.Errorf("elsewhere: %s %q", answer.Status, text)
	}
}

// TestConnectionsAreBounded: connections that say nothing hold no more than their number, and not for long.
func TestConnectionsAreBounded(t *testing.T) {
	entered := make(chan struct{}, maxConnections+10)
	hold := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-hold
	}))

	host := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), Path)

	for range maxConnections + 10 {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}

		defer func() { _ = c.Close() }()

		if _, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", Path); err != nil {
			t.Fatal(err)
		}
	}

	for range maxConnections {
		<-entered
	}

	waiting := 10

	select {
	case <-entered:
		t.Errorf("more than %d connections are taken", maxConnections)

		waiting--
	case <-time.After(200 * time.Millisecond):
	}

	close(hold)

	for range waiting {
		<-entered
	}
}

// serve serves a handler at Path until the test ends, and then ends in order.
func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)

	go func() { done <- Serve(ctx, NewServer(h, slog.New(slog.DiscardHandler)), l) }()

	t.Cleanup(func() {
		cancel()

		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	return "http://" + l.Addr().String() + Path
}
