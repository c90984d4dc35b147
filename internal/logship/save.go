package logship

import (
	"context"
	"time"
)

// saveEvery is how often the cursor of a task is written while little is sent of it.
const saveEvery = 5 * time.Second

// saveBefore writes the cursors of those tasks of which, with these lines, more than a batch would be sent and not recorded.
func (s *Shipper) saveBefore(ctx context.Context, lines []*entry) {
	costs := map[*follower]int64{}
	for _, e := range lines {
		costs[e.from] += e.cost()
	}
	var due []*follower
	for f, cost := range costs {
		f.mu.Lock()
		if f.unsaved > 0 && f.unsaved+cost > maxBatch {
			due = append(due, f)
		}
		f.mu.Unlock()
	}
	s.save(ctx, due)
}

// saveDue writes the cursors that have not been written for a while; all that have changed when at once.
func (s *Shipper) saveDue(ctx context.Context, atOnce bool) {
	var due []*follower
	now := time.Now()
	s.mu.Lock()
	for _, f := range s.followers {
		f.mu.Lock()
		if f.dirty && (atOnce || now.Sub(f.saved) >= saveEvery) {
			due = append(due, f)
		}
		f.mu.Unlock()
	}
	s.mu.Unlock()
	s.save(ctx, due)
}

// save writes cursors, one after another: an older one must not be written after a newer one. What could not be written is
// tried again when it is due again; until then a server that takes over would send more than a batch again.
func (s *Shipper) save(ctx context.Context, followers []*follower) bool {
	if len(followers) == 0 {
		return true
	}
	s.saving.Lock()
	defer s.saving.Unlock()

	cursors, sizes := make(map[string]Cursor, len(followers)), make([]int64, len(followers))
	for i, f := range followers {
		f.mu.Lock()
		cursors[f.source.task], sizes[i] = f.done.clone(), f.unsaved
		f.dirty = false
		f.mu.Unlock()
	}
	err := s.o.Cursors.Save(ctx, cursors)
	if ctx.Err() == nil {
		s.troubles.cursors(ctx, err)
	}
	for i, f := range followers {
		f.mu.Lock()
		f.saved = time.Now()
		if err == nil {
			f.unsaved -= sizes[i]
		} else {
			f.dirty = true
		}
		f.mu.Unlock()
	}
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for task, c := range cursors {
		s.known[task] = c.Ended
	}

	return true
}

// finish records that a task is done: nobody reads it again. The cursor of one that Swarm has forgotten is of no more use.
func (s *Shipper) finish(ctx context.Context, f *follower) bool {
	if !f.settle(ctx) {
		return false
	}
	f.mu.Lock()
	f.done.Ended = true
	f.mu.Unlock()
	for failures := 1; !f.gone.Load() && !s.save(ctx, []*follower{f}); failures++ {
		if !sleep(ctx, pauseAfter(failures)) {
			return false
		}
	}

	return true
}
