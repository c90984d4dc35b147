package gitsync

import (
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// turns lets a tenant have some passes at the same time that apply something, and makes the others wait in line without
// holding up a worker.
type turns struct {
	each      int
	unlimited string

	mu      sync.Mutex
	taken   map[string]int
	waiting map[string][]types.NamespacedName
}

func newTurns(each int, unlimited string) *turns {
	return &turns{each: each, unlimited: unlimited, taken: map[string]int{}, waiting: map[string][]types.NamespacedName{}}
}

// enter is true when it is the sync's turn; leave must be called then. Otherwise it is in line.
func (t *turns) enter(key types.NamespacedName) bool {
	t.mu.Lock()
	defer t.mu.Unlock()

	line := t.waiting[key.Namespace]
	at := slices.Index(line, key)

	if t.taken[key.Namespace] >= t.each && key.Namespace != t.unlimited {
		if at < 0 {
			t.waiting[key.Namespace] = append(line, key)
		}

		return false
	}

	if at >= 0 {
		t.waiting[key.Namespace] = slices.Delete(line, at, at+1)
	}

	t.taken[key.Namespace]++

	return true
}

// leave gives the turn back. It returns the sync that is next in line, which is to be looked at; false when there is none.
func (t *turns) leave(key types.NamespacedName) (types.NamespacedName, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()

	if t.taken[key.Namespace]--; t.taken[key.Namespace] == 0 {
		delete(t.taken, key.Namespace)
	}

	line := t.waiting[key.Namespace]
	if len(line) == 0 {
		delete(t.waiting, key.Namespace)

		return types.NamespacedName{}, false
	}

	// It keeps no place for the one it names: who comes first is served.
	t.waiting[key.Namespace] = line[1:]

	return line[0], true
}
