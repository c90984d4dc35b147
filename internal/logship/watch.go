package logship

import (
	"cmp"
	"context"
	"sync"

	"github.com/dogker/dogker/internal/fleet"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// watch begins to follow tasks, and tells followers what has become of theirs. One goroutine uses it.
type watch struct {
	shipper *Shipper
	group   *sync.WaitGroup
	// cursors are those of the leader before us, until their tasks are followed.
	cursors map[string]Cursor
	names   map[string]string
}

// all looks at all tasks, and removes the cursors of those that Swarm has forgotten.
func (w *watch) all(ctx context.Context) {
	s := w.shipper
	w.names = s.nodeNames()
	there, looked := map[string]bool{}, map[swarmobj.Owner]bool{}
	for _, o := range s.o.Swarm.Owners() {
		looked[o] = true
		for _, task := range w.look(ctx, o) {
			there[task] = true
		}
	}
	s.mu.Lock()
	var gone []swarmobj.Owner
	for o := range s.byOwner {
		if !looked[o] {
			gone = append(gone, o)
		}
	}
	s.mu.Unlock()
	for _, o := range gone {
		for _, task := range w.look(ctx, o) {
			there[task] = true
		}
	}
	// A swarm that cannot be asked is not taken for an empty one.
	if s.o.Swarm.State() == nil {
		w.sweep(ctx, there)
	}
}

// some looks at the tasks that have changed.
func (w *watch) some(ctx context.Context) {
	s := w.shipper
	s.mu.Lock()
	changed := s.changed
	s.changed = map[swarmobj.Owner]bool{}
	s.mu.Unlock()
	for o := range changed {
		w.look(ctx, o)
	}
}

// look looks at the tasks of an owner, and returns all that Swarm remembers.
func (w *watch) look(ctx context.Context, o swarmobj.Owner) []string {
	s := w.shipper
	var tasks []string
	there := map[string]bool{}
	for _, service := range s.o.Swarm.ServicesOf(o) {
		for i := range service.Tasks {
			t := &service.Tasks[i]
			tasks, there[t.ID] = append(tasks, t.ID), true
			if f := w.follower(ctx, o, t); f != nil && t.Ended() {
				f.end(false)
			}
		}
	}
	if s.o.Swarm.State() != nil {
		return tasks
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, f := range s.byOwner[o] {
		if !there[id] {
			f.end(true)
		}
	}

	return tasks
}

// follower of a task, which may be a new one; nil when there is nothing to read, or no more.
func (w *watch) follower(ctx context.Context, o swarmobj.Owner, t *swarmobj.TaskDetail) *follower {
	s := w.shipper
	s.mu.Lock()
	defer s.mu.Unlock()

	if f := s.followers[t.ID]; f != nil || t.Container == "" || s.known[t.ID] || ctx.Err() != nil {
		return f
	}
	if w.names[t.NodeID] == "" {
		w.names = s.nodeNames()
	}
	from := w.cursors[t.ID]
	delete(w.cursors, t.ID)
	f := &follower{
		shipper: s, owner: o, wake: make(chan struct{}, 1),
		source: &source{
			tenant: o.Tenant, container: o.Name, pod: swarmobj.PodName(o, t.Slot, t.NodeID, t.ID),
			node: cmp.Or(w.names[t.NodeID], t.NodeID), task: t.ID,
		},
		place: fleet.Place{Node: t.NodeID, Task: t.ID, Container: t.Container},
		read:  from.clone(), done: from.clone(),
	}
	f.over.Store(t.Ended())
	f.lane = w.lane(ctx, o.Tenant)
	s.followers[t.ID] = f
	if s.byOwner[o] == nil {
		s.byOwner[o] = map[string]*follower{}
	}
	s.byOwner[o][t.ID] = f
	w.group.Go(func() {
		if f.run(ctx) && s.finish(ctx, f) {
			s.forget(f)
		}
	})

	return f
}

// lane of a tenant, for one follower more. The caller has the lock.
func (w *watch) lane(ctx context.Context, tenant string) *lane {
	s := w.shipper
	l := s.lanes[tenant]
	if l == nil {
		l = newLane(s, tenant)
		s.lanes[tenant] = l
		w.group.Go(func() { l.run(ctx) })
	}
	l.users++

	return l
}

// forget drops a follower that has ended, and with the last one of a tenant its lane.
func (s *Shipper) forget(f *follower) {
	s.mu.Lock()
	defer s.mu.Unlock()

	delete(s.followers, f.source.task)
	delete(s.byOwner[f.owner], f.source.task)
	if len(s.byOwner[f.owner]) == 0 {
		delete(s.byOwner, f.owner)
	}
	if f.lane.users--; f.lane.users == 0 {
		delete(s.lanes, f.lane.tenant)
		close(f.lane.in)
	}
}

// sweep removes the cursors of tasks that are not there and that nobody follows.
func (w *watch) sweep(ctx context.Context, there map[string]bool) {
	s := w.shipper
	var old []string
	s.mu.Lock()
	for task := range s.known {
		if !there[task] && s.followers[task] == nil {
			old = append(old, task)
		}
	}
	s.mu.Unlock()
	if len(old) == 0 {
		return
	}
	err := s.o.Cursors.Delete(ctx, old)
	if ctx.Err() == nil {
		s.troubles.cursors(ctx, err)
	}
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, task := range old {
		delete(s.known, task)
		delete(w.cursors, task)
	}
}
