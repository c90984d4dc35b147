package main

import (
	"bytes"
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// screen is what a command prints, readable while it runs.
type screen struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.out.Write(p)
}

// String is what was printed so far.
func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()

	return s.out.String()
}

func TestFakeMidtrans(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	var out, errOut screen

	cmd := newFakeCommand()
	cmd.SetArgs([]string{"midtrans", "--listen", "127.0.0.1:0"})
	cmd.SetOut(&out)
	cmd.SetErr(&errOut)

	done := make(chan error, 1)
	go func() { done <- cmd.ExecuteContext(ctx) }()

	address := regexp.MustCompile(`http://127\.0\.0\.1:\d+`)
	for deadline := time.Now().Add(time.Minute); !address.MatchString(out.String()) && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}

	answer, err := http.Get(address.FindString(out.String()) + "/")
	if err != nil {
		t.Fatalf("%v; printed %q and %q", err, out.String(), errOut.String())
	}

	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the list of orders: %s", answer.Status)
	}

	cancel()

	if err := <-done; err != nil {
		t.Errorf("told to stop it ends with %v", err)
	}

	if strings.Contains(out.String()+errOut.String(), fakeServerKey) {
		t.Error("the key is printed")
	}
}

func TestFakeMidtransRefusesFlags(t *testing.T) {
	for flag, value := range map[string]string{"--notify": "127.0.0.1:80", "--server-key": "x", "--fee": "-1", "--listen": "nowhere"} {
		cmd := newFakeCommand()
		cmd.SetArgs([]string{"midtrans", flag, value})
		cmd.SetOut(&screen{})
		cmd.SetErr(&screen{})

		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s %s: %v", flag, value, err)
		}
	}
}
