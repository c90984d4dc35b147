package registry

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

const (
	// positiveTTL is long enough for a burst of objects with one image, and too short for somebody who has just pushed
	// that image to be given the one before.
	positiveTTL = 2 * time.Second
	negativeTTL = 5 * time.Second
	maxResults  = 4096
)

// cache remembers results for a short time and lets equal questions share one answer, so that a hundred objects with one
// image cost one request.
type cache struct {
	flight  singleflight.Group
	mu      sync.Mutex
	results map[string]result
}

type result struct {
	image   swarmobj.ResolvedImage
	err     error
	expires time.Time
}

// get returns the remembered result of key or asks. The question goes on without the caller who gives up, because
// others may wait for it; it is bounded by timeout.
func (c *cache) get(
	ctx context.Context, key string, ask func(context.Context) (swarmobj.ResolvedImage, error),
) (swarmobj.ResolvedImage, error) {
	if r, ok := c.remembered(key); ok {
		return r.image, r.err
	}

	answers := c.flight.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()

		image, err := ask(ctx)
		c.remember(key, image, err)

		return image, err
	})

	select {
	case a := <-answers:
		image, _ := a.Val.(swarmobj.ResolvedImage)
		return image, a.Err
	case <-ctx.Done():
		return swarmobj.ResolvedImage{}, unavailable("the registry did not answer in time")
	}
}

func (c *cache) remembered(key string) (result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	r, ok := c.results[key]

	return r, ok && time.Now().Before(r.expires)
}

func (c *cache) remember(key string, image swarmobj.ResolvedImage, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	if len(c.results) >= maxResults {
		c.evict()
	}

	ttl := positiveTTL
	if err != nil {
		ttl = negativeTTL
	}

	c.results[key] = result{image: image, err: err, expires: time.Now().Add(ttl)}
}

// evict drops what has expired, and, when that is too little, as much of the rest as makes room for a while.
func (c *cache) evict() {
	now := time.Now()
	for key, r := range c.results {
		if now.After(r.expires) {
			delete(c.results, key)
		}
	}

	for key := range c.results {
		if len(c.results) <= maxResults*3/4 {
			return
		}

		delete(c.results, key)
	}
}
