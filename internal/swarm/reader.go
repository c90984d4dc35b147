package swarm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dogker/dogker/reconciler/logkey"
)

// How a list's own cost sets how often it is made: the pause after a list is so many times as long as the list took.
const (
	costFactor = 100 // About one hundredth of a core, engine and adapter together.
	maxPause   = 10 * time.Minute

	// sweepEvery is how often services are counted when that is cheap. No event tells that a task has stopped on another
	// node; the number of running tasks does.
	sweepEvery = 2 * time.Second

	// refreshFactor bounds the reading that events cause in the same way. It is what makes a thousand events cost a few
	// lists and not a thousand reads.
	refreshFactor = 9
)

// reader makes all reading calls but those for tasks that are watched closely, one after the other: what has been asked
// for by events, and each kind's list when it is due. Being alone it needs no other bound.
func (e *Engine) reader(ctx context.Context) error {
	var notBefore time.Time
	var caused bool

	for {
		job, wait := e.nextRead(!caused)
		if job == nil {
			if !e.sleep(ctx, wait) {
				return ctx.Err()
			}
			continue
		}
		if gap := time.Until(notBefore); gap > 0 && job.caused && !pause(ctx, gap) {
			return ctx.Err()
		}

		caused = job.caused
		began := time.Now()
		err := e.do(ctx, job)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			e.log.WarnContext(ctx, "Could not read from the engine, trying again", "kind", string(job.kind), logkey.Err, err)
		}
		notBefore = time.Now().Add(refreshFactor * time.Since(began))
	}
}

// sleep waits for work. It is false when the context ends.
func (e *Engine) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()

	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-e.wakeReader:
	}

	return true
}

// readJob is one thing to read: single objects, or the list of a kind.
type readJob struct {
	kind   kind
	ids    []string // Empty means the list.
	caused bool     // An event asked for it; a list that is due has its own pace.
}

// nextRead chooses what to read now. When there is nothing it says for how long. What events asked for comes first, but
// not twice in a row, so that no flood of events holds up the lists.
func (e *Engine) nextRead(eventsFirst bool) (*readJob, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()

	now := time.Now()

	first, second := e.dueJob, e.dirtyJob
	if eventsFirst {
		first, second = second, first
	}

	job, wait := first(now)
	if job != nil {
		return job, 0
	}

	job, other := second(now)

	return job, min(wait, other)
}

// dueJob is the list that is due, or the time until one is.
func (e *Engine) dueJob(now time.Time) (*readJob, time.Duration) {
	wait := maxPause

	for _, k := range kinds {
		left := e.due[k].Sub(now)
		if left <= 0 {
			return &readJob{kind: k}, 0
		}
		wait = min(wait, left)
	}

	return nil, wait
}

// dirtyJob is what events asked for, or the time until some of it is to be read.
func (e *Engine) dirtyJob(now time.Time) (*readJob, time.Duration) {
	wait := maxPause

	for _, k := range kinds {
		var ids []string

		for id, at := range e.dirty[k] {
			if left := at.Sub(now); left > 0 {
				wait = min(wait, left)
				continue
			}
			ids = append(ids, id)
		}
		if len(ids) > 0 {
			return e.batch(k, ids), 0
		}
	}

	return nil, wait
}

// batch makes one job of reading several objects. Many of a kind are cheaper to list than to read one by one.
func (e *Engine) batch(k kind, ids []string) *readJob {
	const (
		few       = 4
		listRatio = 20 // One object costs about as much to read as twenty in a list.
	)

	if k == kindNode || len(ids) > few && len(ids)*listRatio > e.cache.size(k) {
		clear(e.dirty[k])
		return &readJob{kind: k, caused: true}
	}

	for _, id := range ids {
		delete(e.dirty[k], id)
	}
	slices.Sort(ids)

	return &readJob{kind: k, ids: ids, caused: true}
}

// do carries a job out. What could not be read is asked for again.
func (e *Engine) do(ctx context.Context, job *readJob) error {
	const retry = time.Second

	if len(job.ids) == 0 {
		err := e.list(ctx, job.kind)
		if err != nil {
			e.postpone(job.kind, retry)
		}

		return err
	}

	for i, id := range job.ids {
		if err := e.inspect(ctx, job.kind, id); err != nil {
			e.mu.Lock()
			for _, left := range job.ids[i:] {
				e.soon(job.kind, left, retry)
			}
			e.mu.Unlock()

			return fmt.Errorf("read %s %q: %w", job.kind, id, err)
		}
	}

	return nil
}

// postpone sets when a kind is listed next.
func (e *Engine) postpone(k kind, d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()

	e.due[k] = time.Now().Add(d)
}

// pace is how long to wait after a list of a kind that took so long.
func (e *Engine) pace(k kind, took time.Duration) time.Duration {
	switch k {
	case kindService:
		return min(max(costFactor*took, sweepEvery), e.resync)
	case kindTask:
		return min(max(2*costFactor*took, e.resync), maxPause)
	default:
		return min(max(costFactor*took, e.resync), maxPause)
	}
}
