package job

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// Wake is what starts a pass of the object whose job has ended.
type Wake = event.TypedGenericEvent[types.NamespacedName]

// Book knows the jobs that are under way, and those that have ended and whose end nobody has taken yet. It is safe for
// concurrent use.
type Book[T any] struct {
	wakes chan<- Wake

	ctx  context.Context
	end  context.CancelFunc
	busy sync.WaitGroup

	mu    sync.Mutex
	known map[types.NamespacedName]*entry[T]
}

// entry is one job. ended is set under the lock of the book.
type entry[T any] struct {
	cancel context.CancelFunc
	ended  *T
}

// NewBook returns an empty one. Every end of a job that was not cancelled is sent to wakes.
func NewBook[T any](wakes chan<- Wake) *Book[T] {
	b := &Book[T]{wakes: wakes, known: map[types.NamespacedName]*entry[T]{}}
	b.ctx, b.end = context.WithCancel(context.Background())

	return b
}

// Stop cancels all jobs and waits until they have ended. Nothing may be started afterwards.
func (b *Book[T]) Stop() {
	b.end()
	b.busy.Wait()
}

// Start begins a job, in the place of one that may be under way. It does not wait. What work returns after its context has
// ended is for nobody.
func (b *Book[T]) Start(key types.NamespacedName, work func(context.Context) T) {
	b.Cancel(key)

	ctx, cancel := context.WithCancel(b.ctx)
	this := &entry[T]{cancel: cancel}

	b.mu.Lock()
	b.known[key] = this
	b.mu.Unlock()

	b.busy.Go(func() {
		defer cancel()

		came := work(ctx)
		if ctx.Err() != nil {
			return // Nobody wants to know any more.
		}

		b.mu.Lock()
		this.ended = &came
		b.mu.Unlock()

		select {
		case b.wakes <- Wake{Object: key}:
		case <-ctx.Done():
		}
	})
}

// Cancel ends a job, if one is under way, and forgets what it came to.
func (b *Book[T]) Cancel(key types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if old, known := b.known[key]; known {
		old.cancel()
		delete(b.known, key)
	}
}

// Take returns what a job came to, once; false when none has ended.
func (b *Book[T]) Take(key types.NamespacedName) (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()

	this := b.known[key]
	if this == nil || this.ended == nil {
		var none T
		return none, false
	}

	delete(b.known, key)

	return *this.ended, true
}

// Running is whether a job is under way, or has ended and was not taken.
func (b *Book[T]) Running(key types.NamespacedName) bool {
	b.mu.Lock()
	defer b.mu.Unlock()

	return b.known[key] != nil
}

// Len is how many there are of which Running is true.
func (b *Book[T]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()

	return len(b.known)
}
