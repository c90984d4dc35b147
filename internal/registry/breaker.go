package registry

import (
	"sync"
	"time"
)

const (
	firstPause  = 5 * time.Second
	longestHold = 30 * time.Second
	maxOutages  = 1024
)

// breaker remembers registries that are better left alone for a while. Its keys are hosts, or a host with the
// fingerprint of a credential.
type breaker struct {
	mu      sync.Mutex
	outages map[string]*outage
}

type outage struct {
	failures int
	until    time.Time
	err      error
}

// check returns the error of the last attempt while key is to be left alone. When the pause is over one caller is let
// through to try; the others wait for what becomes of it, at most for the time that a try may take.
func (b *breaker) check(key string) error {
	b.mu.Lock()
	defer b.mu.Unlock()

	o, ok := b.outages[key]
	if !ok {
		return nil
	}

	now := time.Now()
	if now.Before(o.until) {
		return o.err
	}

	o.until = now.Add(timeout)

	return nil
}

// failed makes the pause of key longer with each failure in a row, and at least as long as the registry asks for.
func (b *breaker) failed(key string, err error, atLeast time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()

	o, ok := b.outages[key]
	if !ok {
		b.makeRoom()
		o = &outage{}
		b.outages[key] = o
	}

	pause := min(firstPause<<min(o.failures, 10), longestHold)
	o.failures++
	o.err = err
	o.until = time.Now().Add(max(pause, atLeast))
}

// answered forgets what was held against key.
func (b *breaker) answered(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()

	delete(b.outages, key)
}

// makeRoom forgets an outage whose pause is over, or any, when there are too many: forgetting costs one attempt.
func (b *breaker) makeRoom() {
	if len(b.outages) < maxOutages {
		return
	}

	var victim string
	for key, o := range b.outages {
		victim = key
		if time.Now().After(o.until) {
			break
		}
	}

	delete(b.outages, victim)
}
