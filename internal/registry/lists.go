package registry

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// maxLists is how many lists of tags are remembered, and maxListed how many tags in all of them.
	maxLists  = 1024
	maxListed = 500_000
)

// lists remembers lists of tags: policies that follow one repository share one question.
type lists struct {
	flight singleflight.Group
	mu     sync.Mutex
	known  map[string]tagList
	listed int
}

// tagList is what a registry said, and when.
type tagList struct {
	tags []string
	err  error
	at   time.Time
}

// get returns a list that is young enough, or asks. The question goes on without the caller who gives up, because others may
// wait for it; it is bounded by tagsTimeout.
func (l *lists) get(ctx context.Context, key string, maxAge time.Duration, ask func(context.Context) ([]string, error)) ([]string, error) {
	if r, ok := l.remembered(key, maxAge); ok {
		return r.tags, r.err
	}

	answers := l.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tagsTimeout)
		defer cancel()

		tags, err := ask(ctx)
		l.remember(key, tagList{tags: tags, err: err, at: time.Now()})

		return tags, err
	})

	select {
	case a := <-answers:
		tags, _ := a.Val.([]string)

		return tags, a.Err
	case <-ctx.Done():
		return nil, unavailable("the registry did not answer in time")
	}
}

func (l *lists) remembered(key string, maxAge time.Duration) (tagList, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()

	r, ok := l.known[key]
	if r.err != nil {
		maxAge = negativeTTL
	}

	return r, ok && time.Since(r.at) < maxAge
}

func (l *lists) remember(key string, r tagList) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.forget(key)

	// Which one goes is left to chance: it is asked for again when somebody needs it.
	for other := range l.known {
		if len(l.known) < maxLists && l.listed+len(r.tags) <= maxListed {
			break
		}

		l.forget(other)
	}

	l.known[key] = r
	l.listed += len(r.tags)
}

func (l *lists) forget(key string) {
	l.listed -= len(l.known[key].tags)
	delete(l.known, key)
}
