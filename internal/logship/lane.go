package logship

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// maxBatch is how much is sent at a time, in memory: about as much in a request.
	maxBatch = 512 << 10
	// linger is how long a line waits for others at most.
	linger = time.Second
	// laneQueue is how many lines lie between the tasks of a tenant and its next batch.
	laneQueue = 64
	// maxPerTenant is what lines of a tenant may take in memory, and maxOverall those of all.
	maxPerTenant = 2 * maxBatch
	maxOverall   = 64 << 20
	// historyAtOnce is how many ended tasks of a tenant are read at a time.
	historyAtOnce = 4
)

// lane sends the lines of one tenant, one batch at a time.
type lane struct {
	shipper *Shipper
	tenant  string
	in      chan *entry
	// budget of memory, and history of logs of ended tasks that are open.
	budget, history *semaphore.Weighted
	// users are the followers that put lines in. The shipper guards it.
	users int
	// next is the first line of the next batch, which had no room in this one.
	next *entry
	// oldest is the time of the first line of the batch in hand, in Unix nanoseconds; 0 for none.
	oldest atomic.Int64
	// refusing is true after the store has refused lines for good.
	refusing bool
}

func newLane(s *Shipper, tenant string) *lane {
	return &lane{
		shipper: s, tenant: tenant, in: make(chan *entry, laneQueue),
		budget: semaphore.NewWeighted(maxPerTenant), history: semaphore.NewWeighted(historyAtOnce),
	}
}

// put hands a line over. It waits while the tenant, or all together, have too many.
func (l *lane) put(ctx context.Context, e *entry) error {
	if err := l.budget.Acquire(ctx, e.cost()); err != nil {
		return err
	}
	if err := l.shipper.budget.Acquire(ctx, e.cost()); err != nil {
		l.budget.Release(e.cost())
		return err
	}
	l.shipper.metrics.buffered.Add(float64(e.cost()))
	select {
	case l.in <- e:
		return nil
	case <-ctx.Done():
		l.release(e)
		return ctx.Err()
	}
}

func (l *lane) release(e *entry) {
	l.shipper.metrics.buffered.Sub(float64(e.cost()))
	l.shipper.budget.Release(e.cost())
	l.budget.Release(e.cost())
}

// run sends until nobody puts lines in any more, or the context ends.
func (l *lane) run(ctx context.Context) {
	for {
		batch := l.collect(ctx)
		if len(batch) == 0 || !l.deliver(ctx, batch) {
			return
		}
		l.oldest.Store(0)
		for _, e := range batch {
			e.from.settled(e)
			l.release(e)
		}
	}
}

// collect waits for a line, and for a moment for others. It returns none when there will be none.
func (l *lane) collect(ctx context.Context) []*entry {
	first := l.next
	l.next = nil
	if first == nil {
		select {
		case first = <-l.in: // nil when it is closed.
		case <-ctx.Done():
		}
	}
	if first == nil {
		return nil
	}
	l.oldest.Store(first.time.UnixNano())
	batch, size := []*entry{first}, first.cost()
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for {
		select {
		case e := <-l.in:
			if e == nil {
				return batch
			}
			if size += e.cost(); size > maxBatch {
				l.next = e
				return batch
			}
			batch = append(batch, e)
		case <-timer.C:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
}

// deliver sends a batch until the store has each line of it, or has refused it for good. It is false when the context ends
// before that.
func (l *lane) deliver(ctx context.Context, lines []*entry) bool {
	l.shipper.saveBefore(ctx, lines)
	limit := len(lines)
	for failures := 0; len(lines) > 0; {
		part := lines[:min(limit, len(lines))]
		verdicts, err := l.send(ctx, part)
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			left := l.count(ctx, part, verdicts)
			lines = append(left, lines[len(part):]...)
			if len(left) == 0 {
				failures = 0
				continue
			}
			err = &trouble{kind: rate, what: "it takes only a part"}
		}
		var t *trouble
		if !errors.As(err, &t) {
			t = &trouble{kind: atStore, what: err.Error()}
		}
		switch {
		case t.kind == size && len(part) > 1:
			limit = len(part) / 2
		case t.kind == size, t.kind == whole:
			l.drop(ctx, len(part), t.what)
			lines = lines[len(part):]
		case t.kind == rate:
			failures++
			if !sleep(ctx, max(t.after, pauseAfter(failures))) {
				return false
			}
		}
	}

	return true
}

// send sends lines once, when the store may be asked.
func (l *lane) send(ctx context.Context, lines []*entry) ([]verdict, error) {
	s := l.shipper
	began, err := s.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	verdicts, err := s.o.Endpoint.post(ctx, lines)
	var t *trouble
	switch {
	case ctx.Err() != nil:
		s.gate.leave(began, true, 0)
	case !errors.As(err, &t):
		s.gate.leave(began, true, 0)
		s.troubles.over(ctx, troubleStore, "")
		s.metrics.batch(outcomeAccepted)
	case t.kind == atStore:
		s.gate.leave(began, false, t.after)
		s.troubles.say(ctx, troubleStore, "", t.what, t.detail)
		s.metrics.batch(outcomeFailed)
	case t.kind == rate:
		s.gate.leave(began, true, 0)
		s.metrics.batch(outcomeLimited)
	default:
		s.gate.leave(began, true, 0)
		s.metrics.batch(outcomeRefused)
	}

	return verdicts, err
}

// count counts what became of lines, and returns those that the store has no time for.
func (l *lane) count(ctx context.Context, lines []*entry, verdicts []verdict) []*entry {
	var left []*entry
	dropped := 0
	for i, e := range lines {
		v := accepted
		if i < len(verdicts) {
			v = verdicts[i]
		}
		switch v {
		case accepted:
			l.shipper.metrics.lines.Inc()
			l.shipper.metrics.bytes.Add(float64(len(e.text)))
		case refused:
			dropped++
		case later:
			left = append(left, e)
		}
	}
	if dropped > 0 {
		l.drop(ctx, dropped, "it refuses some by themselves")
	} else if len(left) == 0 {
		l.refusing = false
	}

	return left
}

// drop counts lines that are lost, and says so once until others of the tenant are taken.
func (l *lane) drop(ctx context.Context, lines int, why string) {
	l.shipper.metrics.dropped.Add(float64(lines))
	if !l.refusing {
		l.shipper.log.WarnContext(ctx, "The log store refuses lines for good, and they are dropped",
			logkey.Tenant, l.tenant, logkey.Count, lines, logkey.Reason, why)
	}
	l.refusing = true
}
