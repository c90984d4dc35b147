package engine

import (
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const (
	// staleRetry is when to look again at an object of which the cache shows an old version.
	staleRetry = 500 * time.Millisecond
	// maxStale is how long a cache can be behind. After that it is not the cache that is old: the store has been put
	// back to an earlier state.
	maxStale = time.Minute
)

// errStaleRead is for a version of an object that is older than one seen before.
var errStaleRead = errors.New("the cache shows an older version than before")

// memory makes reads monotonic: what it has seen or written of an object once, no later read goes behind. The cache is
// filled by watching and lags behind our own writes; and it can go back in time when its watch is answered by a server
// that lags itself.
type memory[T Object] struct {
	mu    sync.Mutex
	known map[types.NamespacedName]*memo[T]
}

// memo is what is remembered of one object.
type memo[T Object] struct {
	uid types.UID
	// version is the newest resourceVersion seen or written.
	version string
	// written is the object as our last write left it, until the cache shows it; nil otherwise.
	written *T
	// gone is true when we have removed our finalizer.
	gone bool
	// staleSince is when the cache was first seen behind; zero when it is not.
	staleSince time.Time
}

// newest returns read, or what was written if the cache does not show it yet.
func (m *memory[T]) newest(key types.NamespacedName, read T) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	known := m.of(key, read.GetUID())

	if known.gone {
		return read, errNothingToDo
	}

	if !older(read.GetResourceVersion(), known.version) {
		*known = memo[T]{uid: known.uid, version: read.GetResourceVersion()}

		return read, nil
	}

	if known.written != nil {
		return *known.written, nil
	}

	switch {
	case known.staleSince.IsZero():
		known.staleSince = time.Now()
	case time.Since(known.staleSince) >= maxStale:
		*known = memo[T]{uid: known.uid, version: read.GetResourceVersion()}

		return read, nil
	}

	return read, errStaleRead
}

// wrote remembers what the store answered to a write.
func (m *memory[T]) wrote(key types.NamespacedName, obj T) {
	m.mu.Lock()
	defer m.mu.Unlock()

	known := m.of(key, obj.GetUID())
	if older(known.version, obj.GetResourceVersion()) {
		*known = memo[T]{uid: known.uid, version: obj.GetResourceVersion(), written: &obj}
	}
}

// letGo remembers that the object of that UID is no longer ours, even if the cache goes on to show it.
func (m *memory[T]) letGo(key types.NamespacedName, uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()

	known := m.of(key, uid)
	known.gone, known.written = true, nil
}

func (m *memory[T]) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.known, key)
}

// of returns the memo of the object. A new object of an old name has a memo of its own.
func (m *memory[T]) of(key types.NamespacedName, uid types.UID) *memo[T] {
	if known, ok := m.known[key]; ok && known.uid == uid {
		return known
	}

	if m.known == nil {
		m.known = map[types.NamespacedName]*memo[T]{}
	}

	m.known[key] = &memo[T]{uid: uid}

	return m.known[key]
}

// IgnoreOwnWrites is a predicate that does not let the engine's own status patches start another pass: the pass that
// wrote one knows already. It also frees the copy that was kept until the cache had it.
func (e *Engine[T]) IgnoreOwnWrites() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
		return !e.memory.echo(client.ObjectKeyFromObject(u.ObjectNew), u.ObjectNew)
	}}
}

// echo is true when obj is what we wrote last, seen for the first time.
func (m *memory[T]) echo(key types.NamespacedName, obj client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()

	known, ok := m.known[key]
	if !ok || known.uid != obj.GetUID() || known.written == nil || older(obj.GetResourceVersion(), known.version) {
		return false
	}

	known.written = nil

	return known.version == obj.GetResourceVersion()
}

// older compares two resource versions of one kind. What cannot be compared is not older.
func older(a, b string) bool {
	if b == "" {
		return false
	}

	if a == "" {
		return true
	}

	order, err := resourceversion.CompareResourceVersion(a, b)

	return err == nil && order < 0
}
