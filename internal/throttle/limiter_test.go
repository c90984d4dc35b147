package throttle

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := New(3, 10*time.Second)
	for i := range 3 {
		if wait := l.Take("jane", now); wait != 0 {
			t.Fatalf("attempt %d of the burst has to wait %s", i, wait)
		}
	}
	if wait := l.Take("jane", now); wait != 10*time.Second {
		t.Errorf("after the burst it is %s until the next, want 10s", wait)
	}
	if wait := l.Take("jane", now.Add(9*time.Second)); wait != time.Second {
		t.Errorf("nine seconds later it is %s, want 1s: refused attempts must not count", wait)
	}
	if wait := l.Take("jane", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("ten seconds later it is %s", wait)
	}
	if wait := l.Take("john", now); wait != 0 {
		t.Errorf("somebody else has to wait %s", wait)
	}
	l.GiveBack("jane")
	if wait := l.Take("jane", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("what was given back cannot be taken: %s", wait)
	}
}

// TestLimiterKeepsItsMemory: however many keys come, none is forgotten and nothing grows.
func TestLimiterKeepsItsMemory(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := New(1, time.Hour)
	l.Take("jane", now)
	for i := range 200_000 {
		l.Take(fmt.Sprintf("stranger-%d", i), now)
	}
	if l.Take("jane", now) == 0 {
		t.Error("a flood made the limiter forget a user")
	}
	if len(l.full) != tableSlots {
		t.Errorf("the table has grown to %d slots", len(l.full))
	}
}

func TestLimiterAtTheSameTime(t *testing.T) {
	l := New(50, time.Hour)
	var mu sync.Mutex
	var wg sync.WaitGroup
	passed := 0
	for range 200 {
		wg.Go(func() {
			if l.Take("jane", time.Now()) == 0 {
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
		if got := AddressKey(remote); got != want {
			t.Errorf("%s is limited as %s, want %s", remote, got, want)
		}
	}
}

// TestWaitCountsNothing: asking does not use anything up, and says what Take would.
func TestWaitCountsNothing(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := New(1, 10*time.Second)
	for range 3 {
		if wait := l.Wait("jane", now); wait != 0 {
			t.Fatalf("before anything happened one has to wait %s", wait)
		}
	}
	if wait := l.Take("jane", now); wait != 0 {
		t.Errorf("the first has to wait %s", wait)
	}
	for _, after := range []time.Duration{0, 4 * time.Second, 10 * time.Second} {
		if got, want := l.Wait("jane", now.Add(after)), 10*time.Second-after; got != want {
			t.Errorf("after %s: wait %s, want %s", after, got, want)
		}
	}
}
