package gitsync

import (
	"container/list"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// cache keeps builds, up to a number of bytes; what was used the longest ago goes first. While a build is kept an unchanged
// repository costs one question to its server.
type cache struct {
	limit int64

	mu    sync.Mutex
	bytes int64
	// order has the keys, those that were used last in front.
	order *list.List
	kept  map[types.NamespacedName]*cached
}

type cached struct {
	*built

	bytes int64
	place *list.Element
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, order: list.New(), kept: map[types.NamespacedName]*cached{}}
}

// overhead is what an object takes in memory beside its JSON.
const overhead = 128

func weigh(b *built) int64 {
	n := int64(overhead)
	for _, o := range b.Objects {
		n += int64(len(o.JSON)+len(o.File)) + overhead
	}

	return n
}

// put keeps a build, in the place of the sync's last one.
func (c *cache) put(key types.NamespacedName, b *built) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.remove(key)
	c.kept[key] = &cached{built: b, bytes: weigh(b), place: c.order.PushFront(key)}
	c.bytes += c.kept[key].bytes

	for c.bytes > c.limit {
		c.remove(c.order.Back().Value.(types.NamespacedName))
	}
}

// get is what a question of that digest was built to; nil when it is not kept.
func (c *cache) get(key types.NamespacedName, digest string) *built {
	c.mu.Lock()
	defer c.mu.Unlock()

	one := c.kept[key]
	if one == nil || one.digest != digest {
		return nil
	}

	c.order.MoveToFront(one.place)

	return one.built
}

// drop forgets what a sync was built to.
func (c *cache) drop(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.remove(key)
}

func (c *cache) remove(key types.NamespacedName) {
	if one := c.kept[key]; one != nil {
		c.order.Remove(one.place)
		delete(c.kept, key)
		c.bytes -= one.bytes
	}
}

func (c *cache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.bytes
}
