package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// wire is a transport that answers from a script and counts; time in these tests is synctest's.
type wire struct {
	mu     sync.Mutex
	asked  map[op]int
	answer func(*http.Request) (*http.Response, error)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.asked[opOf(r)]++
	w.mu.Unlock()

	return w.answer(r)
}

func (w *wire) count(o op) int {
	w.mu.Lock()
	defer w.mu.Unlock()

	return w.asked[o]
}

func wired(t *testing.T, answer func(*http.Request) (*http.Response, error)) (*Client, *wire) {
	t.Helper()

	w := &wire{asked: map[op]int{}, answer: answer}
	c := newClient(t, Config{})
	c.standard = w

	return c, w
}

func respond(r *http.Request, status int, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}

	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}
}

// good answers every tag with one digest.
func good(r *http.Request) (*http.Response, error) {
	return respond(r, http.StatusOK, http.Header{
		"Content-Type":          {"application/vnd.oci.image.index.v1+json"},
		"Docker-Content-Digest": {"sha256:" + strings.Repeat("a", 64)},
	}), nil
}

func dead(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "registry.example", IsNotFound: true}}
}

func TestEqualQuestionsShareOneAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := wired(t, func(r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return good(r)
		})

		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if _, err := c.Resolve(t.Context(), "registry.example/app:1", nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()

		if got := w.count(opHead); got != 1 {
			t.Errorf("a hundred objects with one image cost %d requests, want 1", got)
		}
	})
}

func TestAnswersGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		present := false
		c, w := wired(t, func(r *http.Request) (*http.Response, error) {
			if opOf(r) == opHead && !present {
				return respond(r, http.StatusNotFound, nil), nil
			}

			return good(r)
		})

		ask := func() error {
			_, err := c.Resolve(t.Context(), "registry.example/app:1", nil)
			return err
		}

		steps := []struct {
			reason string
			after  time.Duration
			pushed bool
			found  bool
			asked  int
		}{
			{reason: "The first question is asked.", asked: 1},
			{reason: "A refusal holds for five seconds, even if the image comes in between.", after: 4 * time.Second, pushed: true, asked: 1},
			{reason: "Then it is asked again.", after: 2 * time.Second, pushed: true, found: true, asked: 2},
			{reason: "An answer holds for two seconds, even if the image goes.", after: time.Second, found: true, asked: 2},
			{reason: "Then it is asked again.", after: 2 * time.Second, asked: 3},
		}

		for _, s := range steps {
			time.Sleep(s.after)
			present = s.pushed

			if err := ask(); (err == nil) != s.found {
				t.Errorf("%s\nerror is %v, want found to be %v", s.reason, err, s.found)
			}

			if got := w.count(opHead); got != s.asked {
				t.Errorf("%s\nasked %d times, want %d", s.reason, got, s.asked)
			}
		}
	})
}

func TestCallerWhoGivesUpDoesNotSpoilTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := wired(t, func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return good(r)
		})

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		if _, err := c.Resolve(ctx, "registry.example/app:1", nil); !errors.Is(err, swarmobj.ErrUnavailable) {
			t.Errorf("error of the one who gave up is %v, want ErrUnavailable", err)
		}

		if _, err := c.Resolve(t.Context(), "registry.example/app:1", nil); err != nil {
			t.Errorf("the next caller got %v", err)
		}

		if got := w.count(opHead); got != 1 {
			t.Errorf("asked %d times, want 1", got)
		}
	})
}

func TestSilentRegistryIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := wired(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})

		start := time.Now()

		_, err := c.Resolve(t.Context(), "registry.example/app:1", nil)
		if !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("error is %v", err)
		}

		if took := time.Since(start); took > timeout {
			t.Errorf("it took %v, want at most %v", took, timeout)
		}
	})
}

func TestDeadRegistryIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := wired(t, dead)

		// Ten minutes in which every second another image of the registry is asked for.
		for i := range 600 {
			_, err := c.Resolve(t.Context(), fmt.Sprintf("registry.example/app:%d", i), nil)
			if !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), "its name does not resolve") {
				t.Fatalf("error is %v", err)
			}

			time.Sleep(time.Second)
		}

		if got := w.count(opPing); got > 25 {
			t.Errorf("a dead registry was asked %d times in ten minutes, want at most once in %v and a few times at first", got, longestHold)
		}

		w.mu.Lock()
		w.answer = good
		w.mu.Unlock()
		time.Sleep(longestHold)

		if _, err := c.Resolve(t.Context(), "registry.example/app:1", nil); err != nil {
			t.Errorf("a registry that is back is not used within %v: %v", longestHold, err)
		}
	})
}

func TestOneDeadRegistryDoesNotHoldOthersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := wired(t, func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "dead.example" {
				return dead(r)
			}

			return good(r)
		})

		if _, err := c.Resolve(t.Context(), "dead.example/app:1", nil); !errors.Is(err, swarmobj.ErrUnavailable) {
			t.Errorf("error is %v, want ErrUnavailable", err)
		}

		if _, err := c.Resolve(t.Context(), "alive.example/app:1", nil); err != nil {
			t.Errorf("the other registry: %v", err)
		}
	})
}

func TestRateLimitHoldsOneAccountBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, w := wired(t, func(r *http.Request) (*http.Response, error) {
			if _, _, ok := r.BasicAuth(); ok || opOf(r) == opPing {
				return good(r)
			}

			return respond(r, http.StatusTooManyRequests, http.Header{"Retry-After": {"60"}}), nil
		})

		for i := range 50 {
			_, err := c.Resolve(t.Context(), fmt.Sprintf("registry.example/app:%d", i), nil)
			if !errors.Is(err, swarmobj.ErrUnavailable) || !strings.Contains(err.Error(), "too many requests") {
				t.Fatalf("error is %v", err)
			}

			time.Sleep(time.Second)
		}

		if got := w.count(opHead); got != 1 {
			t.Errorf("asked %d times within the minute the registry asked for, want 1", got)
		}

		if _, err := c.Resolve(t.Context(), "registry.example/app:1", [][]byte{login("registry.example", "p")}); err != nil {
			t.Errorf("who has an account pays for the anonymous: %v", err)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := wired(t, dead)

		for i := range maxResults + 100 {
			host := fmt.Sprintf("r%d.example", i)
			if _, err := c.Resolve(t.Context(), host+"/app:1", nil); err == nil {
				t.Fatal("a dead registry answered")
			}
		}

		if got := len(c.cache.results); got > maxResults {
			t.Errorf("%d results are remembered, want at most %d", got, maxResults)
		}

		if got := len(c.breaker.outages); got > maxOutages {
			t.Errorf("%d outages are remembered, want at most %d", got, maxOutages)
		}
	})
}
