package midtrans

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	fake "github.com/dogker/dogker/internal/fake/midtrans"
	"github.com/dogker/dogker/reconciler/payment"
)

// TestCancellationCancels: the module drops contexts. A call that is given up returns at once, and its request ends.
func TestCancellationCancels(t *testing.T) {
	for op, call := range calls {
		t.Run(string(op), func(t *testing.T) {
			b := newBench(t, fake.Options{})

			arrived, ended := make(chan struct{}), make(chan struct{})
			b.fake.Script(op, func(_ http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
				_, _ = io.Copy(io.Discard, r.Body)

				close(arrived)
				<-r.Context().Done()
				close(ended)
			})

			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				cancel()
			}()

			err := call(ctx, b)
			b.log.saw(err)

			if !errors.Is(err, payment.ErrUnknownOutcome) {
				t.Errorf("given up it is %v", err)
			}

			<-ended
		})
	}
}

// TestTimeout: a call that nobody gives up ends by itself.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})

		g, err := New(Config{Key: key(t, secret), Transport: hang}, nil)
		if err != nil {
			t.Fatal(err)
		}

		begun := time.Now()
		if _, err := g.Status(t.Context(), ref()); !errors.Is(err, payment.ErrUnknownOutcome) || !strings.Contains(err.Error(), "in time") {
			t.Errorf("it ends in %v", err)
		}

		if took := time.Since(begun); took != timeout {
			t.Errorf("it took %s", took)
		}
	})
}

// TestNobodyThere: nothing was sent, so nothing has happened.
func TestNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()

	g, err := New(Config{Key: key(t, secret), BaseURL: server.URL, SnapURL: server.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}

	_, err = g.Status(t.Context(), ref())
	if !errors.Is(err, payment.ErrUnavailable) || !payment.NothingHappened(err) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("it ends in %v", err)
	}
}

// TestBreaker: while Midtrans is down it is asked less and less; one success and all is forgotten.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32

		status := 503
		transport := roundTrip(func(*http.Request) (*http.Response, error) {
			asked.Add(1)
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"status_code":"404"}`))}, nil
		})

		g, err := New(Config{Key: key(t, secret), Transport: transport}, nil)
		if err != nil {
			t.Fatal(err)
		}

		ask := func() error {
			_, err := g.Status(t.Context(), ref())
			return err
		}

		for range patience {
			if err := ask(); !errors.Is(err, payment.ErrUnknownOutcome) {
				t.Fatalf("it fails with %v", err)
			}
		}

		if err := ask(); !errors.Is(err, payment.ErrUnavailable) || asked.Load() != patience {
			t.Errorf("left alone it was asked %d times: %v", asked.Load(), err)
		}

		for range 60 * 60 {
			time.Sleep(time.Second)
			_ = ask()
		}

		if n := asked.Load(); n < 25 || n > 45 {
			t.Errorf("in an hour of failures it was asked %d times", n)
		}

		status = 404

		time.Sleep(longestPause)

		for range 3 {
			if err := ask(); !errors.Is(err, payment.ErrNotFound) {
				t.Errorf("it works again and says %v", err)
			}
		}
	})
}
