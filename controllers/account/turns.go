package account

import (
	"sync"
	"time"
)

const (
	// turnsAtOnce is how many tenants may resume at once when none has for a while.
	turnsAtOnce = 10
	// turnEvery is the time from one to the next after that: a thousand tenants whose month begins take eight minutes, in
	// which the swarm starts their containers a few at a time.
	turnEvery = 500 * time.Millisecond
)

// turns let tenants resume one after the other, in the order in which they came. Who has been given a turn keeps it, so
// that nobody is overtaken by whoever asks more often. A turn is lost when the process ends; then all ask again.
type turns struct {
	mu sync.Mutex
	// next is when the bucket is full, as if all turns so far had been given evenly: the one of the generic cell rate
	// algorithm.
	next    time.Time
	waiting map[string]time.Time // when whose turn is
}

func newTurns() *turns { return &turns{waiting: map[string]time.Time{}} }

// take returns for how long the tenant has to wait yet; zero when it is its turn.
func (t *turns) take(tenant string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()

	turn, given := t.waiting[tenant]
	if !given {
		if t.next.Before(now) {
			t.next = now
		}

		turn = t.next.Add(-(turnsAtOnce - 1) * turnEvery)
		t.next = t.next.Add(turnEvery)
		t.waiting[tenant] = turn
	}

	return max(0, turn.Sub(now))
}

// give back the turn of a tenant: it has taken it, or needs it no more.
func (t *turns) forget(tenant string) {
	t.mu.Lock()
	defer t.mu.Unlock()

	delete(t.waiting, tenant)
}
