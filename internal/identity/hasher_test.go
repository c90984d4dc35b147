package identity

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

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
