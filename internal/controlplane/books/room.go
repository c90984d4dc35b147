package books

import "sync"

const (
	// maxAtOnce is how many answers are made at a time: each reads a ledger from the store that everybody waits for.
	maxAtOnce = 8
	// maxOfTenant is how many of them are about one tenant, so that whoever reads slowly keeps nobody else from reading.
	maxOfTenant = 2
)

// room is for answers that are being made.
type room struct {
	mu    sync.Mutex
	taken map[string]int
	total int
}

// enter takes a place, if there is one.
func (r *room) enter(tenant string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.total >= maxAtOnce || r.taken[tenant] >= maxOfTenant {
		return false
	}
	if r.taken == nil {
		r.taken = map[string]int{}
	}
	r.taken[tenant]++
	r.total++

	return true
}

// leave gives it back.
func (r *room) leave(tenant string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total--
	if r.taken[tenant]--; r.taken[tenant] == 0 {
		delete(r.taken, tenant)
	}
}
