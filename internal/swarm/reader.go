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

	// maxRest bounds the pause after a read of single objects: one that took long says that the machine is busy, and not
	// that there is much to read.
	maxRest = 250 * time.Millisecond
)

// reader makes all reading calls but those for tasks that are watched closely, one after the other: what has been asked
// for by events, and each kind's list when it is due. Being alone it needs no other bound.
func (e *Engine) reader(ctx context.Context) error {
	var rested time.Time
	var caused bool

	for {
		job, wait := e.nextRead(rested, !caused)
		if job == nil {
			if !e.sleep(ctx, wait) {
				return ctx.Err()
			}
			continue
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
		if rest := job.rest(time.Since(began)); rest > 0 {
			rested = time.Now().Add(rest)
		}
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
	urgent bool     // It did not wait for its turn.
}

// rest is how long what events ask for has to wait after a job that took so long.
func (j readJob) rest(took time.Duration) time.Duration {
	switch {
	case j.urgent:
		return 0
	case len(j.ids) > 0:
		return min(refreshFactor*took, maxRest)
	default:
		return refreshFactor * took
	}
}

// asked is when an object is to be read again. What somebody else has changed is urgent.
type asked struct {
	at     time.Time
	urgent bool
}

// nextRead chooses what to read now. When there is nothing it says for how long. What events asked for comes first once
// the reader has rested, but not twice in a row, so that no flood of events holds up the lists.
func (e *Engine) nextRead(rested time.Time, eventsFirst bool) (*readJob, time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()

	now := time.Now()
	dirty := func(now time.Time) (*readJob, time.Duration) { return e.dirtyJob(now, rested) }

	first, second := e.dueJob, dirty
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

// few objects are read one by one without a thought.
const few = 4

// dirtyJob is what events asked for, or the time until some of it is to be read. Before the reader has rested that is
// only what somebody else has changed, as long as it is little: drift does not wait because of what we did ourselves.
func (e *Engine) dirtyJob(now, rested time.Time) (*readJob, time.Duration) {
	wait := maxPause

	for _, k := range kinds {
		var ids, urgent []string

		for id, a := range e.dirty[k] {
			if left := a.at.Sub(now); left > 0 {
				wait = min(wait, left)
				continue
			}
			ids = append(ids, id)
			if a.urgent {
				urgent = append(urgent, id)
			}
		}

		switch rest := rested.Sub(now); {
		case len(ids) == 0:
		case rest <= 0:
			return e.batch(k, ids), 0
		case k != kindNode && len(urgent) > 0 && len(urgent) <= few:
			job := e.take(k, urgent)
			job.urgent = true

			return job, 0
		default:
			wait = min(wait, rest)
		}
	}

	return nil, wait
}

// batch makes one job of reading several objects. Many of a kind are cheaper to list than to read one by one.
func (e *Engine) batch(k kind, ids []string) *readJob {
	const listRatio = 20 // One object costs about as much to read as twenty in a list.

	if k == kindNode || len(ids) > few && len(ids)*listRatio > e.cache.size(k) {
		clear(e.dirty[k])
		return &readJob{kind: k, caused: true}
	}

	return e.take(k, ids)
}

// take makes a job of reading the objects one by one.
func (e *Engine) take(k kind, ids []string) *readJob {
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
