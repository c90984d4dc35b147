package gitsync

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// memory has what is known of each sync between two passes. Passes over one sync never overlap, so what it hands out is for
// one pass at a time.
type memory struct {
	mu    sync.Mutex
	syncs map[types.NamespacedName]*state
}

// state is what is known of a sync. The zero value is that of one that was never looked at.
type state struct {
	uid types.UID
	// asked is the last question about the repository.
	asked question
	// next is when the repository is looked at again.
	next time.Time
	// failures are those in a row.
	failures int
	// flaw is the revision that was seen last, if that cannot be built; asking again would only be told the same.
	flaw *flaw
	// visit is what is being done with a build; nil at rest.
	visit *visit
	// ended is how the last visit did; nil when that is not known.
	ended *ending
}

// question is what a build was asked for, and on which terms.
type question struct {
	// generation of the spec, and what the annotation said that asks for a visit.
	generation int64
	requested  string
	// digest is that of everything that the build depends on.
	digest string
	terms  terms
	began  time.Time
}

// flaw is a revision that cannot be built, by a request.
type flaw struct {
	digest, revision string
}

// of is what is known of an object. One that has the name of another knows nothing of it.
func (m *memory) of(key types.NamespacedName, uid types.UID) *state {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.syncs == nil {
		m.syncs = map[types.NamespacedName]*state{}
	}

	if s, known := m.syncs[key]; known && s.uid == uid {
		return s
	}

	m.syncs[key] = &state{uid: uid}

	return m.syncs[key]
}

func (m *memory) forget(key types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.syncs, key)
}

// pass is what one pass over a GitSync knows.
type pass struct {
	*Controller
	*state

	key  types.NamespacedName
	sync *gitopsv1.GitSync
	now  time.Time
}

func (c *Controller) begin(s *gitopsv1.GitSync) *pass {
	key := client.ObjectKeyFromObject(s)

	return &pass{Controller: c, state: c.memory.of(key, s.UID), key: key, sync: s, now: c.opts.Now()}
}

// drop ends what is under way.
func (p *pass) drop() {
	p.jobs.Cancel(p.key)
	p.visit = nil
}

// built is what is kept of a build.
type built struct {
	source.Built

	// digest is that of the question that it answers.
	digest string
}
