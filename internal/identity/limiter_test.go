package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(3, 10*time.Second)
	for i := range 3 {
		if wait := l.take("jane", now); wait != 0 {
			t.Fatalf("attempt %d of the burst has to wait %s", i, wait)
		}
	}
	if wait := l.take("jane", now); wait != 10*time.Second {
		t.Errorf("after the burst it is %s until the next, want 10s", wait)
	}
	if wait := l.take("jane", now.Add(9*time.Second)); wait != time.Second {
		t.Errorf("nine seconds later it is %s, want 1s: refused attempts must not count", wait)
	}
	if wait := l.take("jane", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("ten seconds later it is %s", wait)
	}
	if wait := l.take("john", now); wait != 0 {
		t.Errorf("somebody else has to wait %s", wait)
	}
	l.giveBack("jane")
	if wait := l.take("jane", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("what was given back cannot be taken: %s", wait)
	}
}

// TestLimiterKeepsItsMemory: however many keys come, none is forgotten and nothing grows.
func TestLimiterKeepsItsMemory(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(1, time.Hour)
	l.take("jane", now)
	for i := range 200_000 {
		l.take(fmt.Sprintf("stranger-%d", i), now)
	}
	if l.take("jane", now) == 0 {
		t.Error("a flood made the limiter forget a user")
	}
	if len(l.full) != tableSlots {
		t.Errorf("the table has grown to %d slots", len(l.full))
	}
}

func TestLimiterAtTheSameTime(t *testing.T) {
	l := newLimiter(50, time.Hour)
	var mu sync.Mutex
	var wg sync.WaitGroup
	passed := 0
	for range 200 {
		wg.Go(func() {
			if l.take("jane", time.Now()) == 0 {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if passed != 50 {
		t.Errorf("%d of 200 passed, want 50", passed)
	}
}

func TestAddressKey(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5000":                      "192.0.2.1",
		"[::ffff:192.0.2.1]:5000":             "192.0.2.1",
		"[2001:db8:1:2:3:4:5:6]:5000":         "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff:ffff:ffff:1]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":                    "fe80::/64",
		"@":                                   "@",
	} {
		if got := addressKey(remote); got != want {
			t.Errorf("%s is limited as %s, want %s", remote, got, want)
		}
	}
}

// TestHasherIsBounded: a flood of passwords holds the memory of two hashes, and those beyond the queue are sent away at
// once.
func TestHasherIsBounded(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHasher(cheap)
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var wg sync.WaitGroup
		outcomes := map[string]int{}
		hold := make(chan struct{})
		for range hashSlots + hashQueue + 10 {
			wg.Go(func() {
				release, err := h.acquire(ctx)
				outcome := "in"
				switch {
				case errors.Is(err, errBusy):
					outcome = "busy"
				case err != nil:
					outcome = "gave up"
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
				if err == nil {
					<-hold
					release()
				}
			})
		}
		synctest.Wait()
		if outcomes["in"] != hashSlots || outcomes["busy"] != 10 {
			t.Errorf("with a full queue: %v", outcomes)
		}
		cancel()
		synctest.Wait()
		if outcomes["gave up"] != hashQueue {
			t.Errorf("after those who waited have gone: %v", outcomes)
		}
		close(hold)
		wg.Wait()
		if n := h.waiting.Load(); n != 0 {
			t.Errorf("%d places are lost", n)
		}
	})
}
