package promquery

import (
	"context"
	"maps"
	"sync"
	"time"
)

// maxCached is how many answers are kept.
const maxCached = 4096

// cache gives the answer to a question again while it is fresh, and lets those who ask the same at the same time share one.
// A question has the namespace in it, so that no two tenants share any. Failures are kept as well: a server that is in trouble
// is not asked the same thing by everybody.
type cache struct {
	fresh time.Duration
	now   func() time.Time

	mu    sync.Mutex
	known map[string]*answer
}

// answer is one that is there, or is being waited for.
type answer struct {
	done    chan struct{}
	samples []Sample
	err     error
	// until is when it is not fresh any more; the zero time while it is being waited for.
	until time.Time
}

func (c *cache) get(ctx context.Context, question string, ask func(context.Context) ([]Sample, error)) ([]Sample, error) {
	a, mine := c.join(question)
	if mine {
		a.samples, a.err = ask(ctx)
		c.settle(question, a, ctx.Err() != nil)
		close(a.done)

		return a.samples, a.err
	}

	select {
	case <-a.done:
		return a.samples, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the answer to a question; it is mine to find when nobody has or does.
func (c *cache) join(question string) (a *answer, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if a, ok := c.known[question]; ok && (a.until.IsZero() || c.now().Before(a.until)) {
		return a, false
	}
	if c.known == nil {
		c.known = map[string]*answer{}
	}
	if len(c.known) >= maxCached {
		now := c.now()
		maps.DeleteFunc(c.known, func(_ string, a *answer) bool { return !a.until.IsZero() && !now.Before(a.until) })
	}

	a = &answer{done: make(chan struct{})}
	if len(c.known) < maxCached {
		c.known[question] = a
	}

	return a, true
}

// settle keeps the answer for as long as it is fresh. What failed because whoever asked went away is nobody else's answer.
func (c *cache) settle(question string, a *answer, abandoned bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if abandoned || c.fresh <= 0 {
		if c.known[question] == a {
			delete(c.known, question)
		}

		return
	}

	a.until = c.now().Add(c.fresh)
}
