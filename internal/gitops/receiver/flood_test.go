package receiver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/throttle"
)

// endless is a body of so many bytes that are made as they are read.
func endless(bytes int64) io.Reader { return io.LimitReader(zeros{}, bytes) }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)

	return len(p), nil
}

// TestLargeBodies: what is announced is refused unread, what is not is read to the bound, and neither is held in memory.
func TestLargeBodies(t *testing.T) {
	d := newDoor(t)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)

	const large = 100 << 20

	for name, length := range map[string]int64{"Announced": large, "Unannounced": -1} {
		var before, after runtime.MemStats

		runtime.GC()
		runtime.ReadMemStats(&before)

		// A sender that is cut off while it still sends may see that, and not the answer.
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+pathOf("github"), endless(large))
		if err != nil {
			t.Fatal(err)
		}

		r.ContentLength = length
		r.Header.Set(headerHub, "sha256="+sha(token, pushed))

		if answer, err := http.DefaultClient.Do(r); err == nil {
			_ = answer.Body.Close()

			if answer.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %s", name, answer.Status)
			}
		}

		runtime.ReadMemStats(&after)

		if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
			t.Errorf("%s: %d bytes were allocated", name, grown)
		}
	}

	if len(d.told) != 0 {
		t.Errorf("told %v", d.told)
	}

	for body, want := range map[string]int{strings.Repeat("a", maxBody): 200, strings.Repeat("a", maxBody+1): 413} {
		for _, length := range []int64{int64(len(body)), -1} {
			r := post("github", body, headerHub, "sha256="+sha(token, body))
			r.ContentLength = length

			if got := d.answer(r).Code; got != want {
				t.Errorf("%d bytes, announced as %d: %d, want %d", len(body), length, got, want)
			}
		}
	}
}

// TestSlowBodies: a sender that takes its time is left, and its place is free again.
func TestSlowBodies(t *testing.T) {
	d := newDoor(t)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = conn.Close() }()

	begun := time.Now()

	if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", pathOf("github")); err != nil {
		t.Fatal(err)
	}

	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}

	_ = answer.Body.Close()

	if took := time.Since(begun); answer.StatusCode != http.StatusRequestTimeout || took < readTimeout || took > 2*readTimeout || !answer.Close {
		t.Errorf("after %s: %s, closed: %t", took, answer.Status, answer.Close)
	}

	if len(d.places) != 0 || len(d.told) != 0 {
		t.Errorf("%d places are taken, told %v", len(d.places), d.told)
	}
}

// TestKeptConnections: the limit of one request is not that of the next on the same connection.
func TestKeptConnections(t *testing.T) {
	d := newDoor(t)

	deadlines := make(chan time.Time, 10)
	server := httptest.NewUnstartedServer(d)
	server.Listener = watched{server.Listener, deadlines}
	server.Start()
	t.Cleanup(server.Close)

	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+pathOf("github"), strings.NewReader(pushed))
		if err != nil {
			t.Fatal(err)
		}

		r.Header.Set(headerHub, "sha256="+sha(token, pushed))

		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("%v, %v", answer, err)
		}

		_ = answer.Body.Close()
	}

	limited := 0

	for {
		select {
		case at := <-deadlines:
			if time.Until(at) > readTimeout-time.Second {
				limited++
			} else if !at.IsZero() && limited == 0 {
				t.Errorf("a deadline of %s", time.Until(at))
			}

			continue
		default:
		}

		break
	}

	if limited != 2 {
		t.Errorf("%d of 2 requests had a limit", limited)
	}
}

// watched tells of the deadlines of what it accepts.
type watched struct {
	net.Listener

	deadlines chan time.Time
}

func (w watched) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()

	return watchedConn{conn, w.deadlines}, err
}

type watchedConn struct {
	net.Conn

	deadlines chan time.Time
}

func (c watchedConn) SetReadDeadline(t time.Time) error {
	select {
	case c.deadlines <- t:
	default:
	}

	return c.Conn.SetReadDeadline(t)
}

// TestFloodIsBounded: whatever comes at once, a bounded part of it is worked on, and when it is over everything works.
func TestFloodIsBounded(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.TrustedProxies, _ = throttle.ParseProxies([]string{"192.0.2.0/24"}) })

	const strangers = 2 * atOnce

	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[int]int{}
		hold = make(chan struct{})
		in   = make(chan struct{}, strangers)
	)

	for i := range strangers {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodPost, pathOf("gone"), holding{in, hold})
			r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.%d.%d", i/250, i%250))
			code := d.answer(r).Code

			mu.Lock()
			defer mu.Unlock()

			seen[code]++
		})
	}

	for range atOnce {
		<-in
	}

	for done := 0; done < strangers-atOnce; time.Sleep(time.Millisecond) {
		mu.Lock()
		done = seen[503]
		mu.Unlock()
	}

	close(hold)
	wg.Wait()

	if seen[404] != atOnce || seen[503] != strangers-atOnce {
		t.Errorf("answers: %v", seen)
	}

	if w := d.answer(post("github", pushed, headerHub, "sha256="+sha(token, pushed))); w.Code != 200 || len(d.places) != 0 {
		t.Errorf("after the flood: %d, %d places taken", w.Code, len(d.places))
	}
}

// holding is a body that says when it is read and does not end before it is let go.
type holding struct {
	in   chan<- struct{}
	hold <-chan struct{}
}

func (h holding) Read([]byte) (int, error) {
	h.in <- struct{}{}
	<-h.hold

	return 0, io.EOF
}

// TestManyAtOnce: a hundred good ones in parallel, from one address, are all taken.
func TestManyAtOnce(t *testing.T) {
	d := newDoor(t)
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)

	var wg sync.WaitGroup

	for range 100 {
		wg.Go(func() {
			r, _ := http.NewRequest(http.MethodPost, server.URL+pathOf("generic"), strings.NewReader(pushed))
			r.Header.Set(headerGeneric, "sha256="+sha(token, pushed))

			answer, err := http.DefaultClient.Do(r)
			if err != nil || answer.StatusCode != 200 {
				t.Errorf("%v, %v", answer, err)

				return
			}

			_ = answer.Body.Close()
		})
	}

	wg.Wait()

	if len(d.told) != 100 {
		t.Errorf("told %d times", len(d.told))
	}
}
