package worker

import (
	"context"
	"slices"
	"sync"

	"github.com/dogker/dogker/reconciler/source"
)

// queue gives slots to tenants in turn: whoever waits longest of those who have the fewest. A tenant gets a slot at a time, however
// many of its builds wait, and never all of them.
type queue struct {
	perTenant, maxWaiting int

	mu      sync.Mutex
	free    []int
	running map[string]int
	// turns are the tenants that wait, in the order in which they are looked at next.
	turns   []string
	waiting map[string][]*waiter
}

// waiter is a build that waits. Its channel has room for the slot, so that giving it never blocks.
type waiter struct {
	slot chan int
}

func newQueue(slots, perTenant, maxWaiting int) *queue {
	q := &queue{perTenant: perTenant, maxWaiting: maxWaiting, running: map[string]int{}, waiting: map[string][]*waiter{}}
	for i := range slots {
		q.free = append(q.free, i)
	}

	return q
}

// acquire waits for a slot. It must be released.
func (q *queue) acquire(ctx context.Context, tenant string) (int, error) {
	w := &waiter{slot: make(chan int, 1)}

	q.mu.Lock()
	if len(q.waiting[tenant]) >= q.maxWaiting {
		q.mu.Unlock()

		return 0, busy(q.maxWaiting)
	}

	if len(q.waiting[tenant]) == 0 {
		q.turns = append(q.turns, tenant)
	}

	q.waiting[tenant] = append(q.waiting[tenant], w)
	q.give()
	q.mu.Unlock()

	select {
	case slot := <-w.slot:
		return slot, nil
	case <-ctx.Done():
		q.leave(tenant, w)

		return 0, &source.Error{
			Reason: source.ReasonTimeout, Transient: true, Message: "there was no free worker in time", Cause: ctx.Err(),
		}
	}
}

// leave gives up waiting, and gives back a slot that came too late.
func (q *queue) leave(tenant string, w *waiter) {
	q.mu.Lock()

	if i := slices.Index(q.waiting[tenant], w); i >= 0 {
		q.waiting[tenant] = slices.Delete(q.waiting[tenant], i, i+1)
		q.forget(tenant)
		q.mu.Unlock()

		return
	}

	q.mu.Unlock()
	q.release(tenant, <-w.slot)
}

// release gives a slot back.
func (q *queue) release(tenant string, slot int) {
	q.mu.Lock()
	defer q.mu.Unlock()

	if q.running[tenant]--; q.running[tenant] == 0 {
		delete(q.running, tenant)
	}

	q.free = append(q.free, slot)
	q.give()
}

// give hands out slots while there are some, and somebody who may have one.
func (q *queue) give() {
	for len(q.free) > 0 {
		next := -1

		for i, tenant := range q.turns {
			has := q.running[tenant]
			if has < q.perTenant && (next < 0 || has < q.running[q.turns[next]]) {
				next = i
			}
		}

		if next < 0 {
			return
		}

		tenant := q.turns[next]
		w := q.waiting[tenant][0]
		q.waiting[tenant] = q.waiting[tenant][1:]

		// To the end of the line, if it has more to build.
		q.turns = append(slices.Delete(q.turns, next, next+1), tenant)
		q.forget(tenant)

		q.running[tenant]++
		w.slot <- q.free[0]
		q.free = q.free[1:]
	}
}

// forget takes a tenant out of the line that has nothing left to build.
func (q *queue) forget(tenant string) {
	if len(q.waiting[tenant]) > 0 {
		return
	}

	delete(q.waiting, tenant)

	if i := slices.Index(q.turns, tenant); i >= 0 {
		q.turns = slices.Delete(q.turns, i, i+1)
	}
}
