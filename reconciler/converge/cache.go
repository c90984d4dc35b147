package converge

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Index is a field by which a cache finds objects.
type Index struct {
	Object client.Object
	Field  string
	Values client.IndexerFunc
}

// id names an object of any kind.
type id struct {
	kind schema.GroupVersionKind
	key  types.NamespacedName
}

// cache is what a process has heard of the store: every change, in order, but later.
type cache struct {
	process *Process
	view    View

	mu      sync.Mutex
	objects map[id]client.Object
	seen    int // changes taken in or lost
	heard   int // notifications so far, to find the one that is lost
	lost    map[id]change
}

const (
	// cacheLag is how far an informer is behind as a rule.
	cacheLag = 5 * time.Millisecond
	// relist is after how long a lost notification is made up for.
	relist = 30 * time.Second
)

func newCache(p *Process, view View) *cache {
	return &cache{process: p, view: view, objects: map[id]client.Object{}, lost: map[id]change{}}
}

// fill takes in the first n changes of the store without telling anybody about each: a first list.
func (c *cache) fill(changes []change) {
	c.mu.Lock()
	defer c.mu.Unlock()

	for _, ch := range changes {
		c.take(ch)
	}

	c.seen = len(changes)
}

func (c *cache) take(ch change) (old client.Object) {
	old = c.objects[ch.id]
	if ch.object == nil {
		delete(c.objects, ch.id)
	} else {
		c.objects[ch.id] = ch.object
	}

	return old
}

// follow takes in the changes of the store as they come, until the process ends.
func (c *cache) follow(ctx context.Context) {
	store := c.process.run.Store

	if c.view.StaleFor > 0 && c.seen < store.length() {
		sleep(ctx, c.view.StaleFor)
	}

	lag := max(c.view.Lag, cacheLag)

	for ctx.Err() == nil {
		for _, ch := range store.since(c.seen) {
			sleep(ctx, lag-time.Since(ch.at))

			if ctx.Err() != nil {
				return
			}

			c.hear(ctx, ch)
		}

		select {
		case <-ctx.Done():
		case <-store.more(c.seen):
		}
	}
}

// hear takes in one change, unless its notification is lost.
func (c *cache) hear(ctx context.Context, ch change) {
	c.mu.Lock()
	c.seen++
	c.heard++

	if c.view.Drop < 0 || c.view.Drop == c.heard {
		c.lost[ch.id] = ch
		c.mu.Unlock()
		c.process.Go(func(context.Context) {
			sleep(ctx, relist)
			c.makeUp(ch)
		})

		return
	}

	delete(c.lost, ch.id)
	old := c.take(ch)
	c.mu.Unlock()

	c.process.notify(old, ch.object)
}

// makeUp finds a change by listing anew whose notification was lost, if it is still the newest.
func (c *cache) makeUp(ch change) {
	c.mu.Lock()

	lost, ok := c.lost[ch.id]
	if !ok || lost.index != ch.index || c.process.ctx.Err() != nil {
		c.mu.Unlock()

		return
	}

	delete(c.lost, ch.id)
	old := c.take(ch)
	c.mu.Unlock()

	c.process.notify(old, ch.object)
}

// get copies an object out of the cache.
func (c *cache) get(key types.NamespacedName, into client.Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	kind := c.process.run.Store.kindOf(into)

	have, ok := c.objects[id{kind, key}]
	if !ok {
		return apierrors.NewNotFound(schema.GroupResource{Group: kind.Group, Resource: kind.Kind}, key.Name)
	}

	return copyInto(have, into)
}

// list copies all objects out of the cache that the options ask for, ordered by name.
func (c *cache) list(into client.ObjectList, opts ...client.ListOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()

	var o client.ListOptions
	o.ApplyOptions(opts)

	kind := c.process.run.Store.itemKind(into)

	var items []runtime.Object

	for name, object := range c.objects {
		if name.kind == kind && (o.Namespace == "" || o.Namespace == name.key.Namespace) &&
			(o.LabelSelector == nil || o.LabelSelector.Matches(labelSet(object))) && c.inIndex(object, o) {
			items = append(items, object.DeepCopyObject())
		}
	}

	slices.SortFunc(items, func(a, b runtime.Object) int {
		x, y := a.(client.Object), b.(client.Object)

		return cmp.Or(cmp.Compare(x.GetNamespace(), y.GetNamespace()), cmp.Compare(x.GetName(), y.GetName()))
	})

	return meta.SetList(into, items)
}

// inIndex tells whether the object is what the field selector asks for.
func (c *cache) inIndex(object client.Object, o client.ListOptions) bool {
	if o.FieldSelector == nil {
		return true
	}

	kind := c.process.run.Store.kindOf(object)

	for _, want := range o.FieldSelector.Requirements() {
		index := slices.IndexFunc(c.process.run.harness.Indexes, func(i Index) bool {
			return i.Field == want.Field && c.process.run.Store.kindOf(i.Object) == kind
		})
		if index < 0 {
			panic(fmt.Sprintf("converge: the cache has no index %q of %s", want.Field, kind.Kind))
		}

		if !slices.Contains(c.process.run.harness.Indexes[index].Values(object), want.Value) {
			return false
		}
	}

	return true
}

func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}

	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
