package imagepolicy

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// memory has what is known of each policy between two passes. Passes over one policy never overlap, so what it hands out is for
// one pass at a time.
type memory struct {
	mu       sync.Mutex
	policies map[types.NamespacedName]*state
}

// state is what is known of a policy. The zero value is that of one that was never looked at.
type state struct {
	uid types.UID
	// asked is the last question.
	asked question
	// next is when it is asked again.
	next time.Time
	// failures are those in a row.
	failures int
	// ended is how the last look did; nil when that is not known.
	ended *ending
	// known is the branch that was left in order.
	known branch
}

// question is what a look is for: a spec, what the annotation said that asks for a look, and the GitSync that says where to.
type question struct {
	generation int64
	requested  string
	sync       syncSpec
}

// syncSpec is the spec of a GitSync; zero when there is none.
type syncSpec struct {
	uid        types.UID
	generation int64
}

// branch is one that has an image in all of its places.
type branch struct {
	// digest is that of the request that made sure of it, and revision what it was at then.
	digest, revision string
}

// of is what is known of an object. One that has the name of another knows nothing of it.
func (m *memory) of(key types.NamespacedName, uid types.UID) *state {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.policies == nil {
		m.policies = map[types.NamespacedName]*state{}
	}

	if s, known := m.policies[key]; known && s.uid == uid {
		return s
	}

	m.policies[key] = &state{uid: uid}

	return m.policies[key]
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.policies, key)
}
