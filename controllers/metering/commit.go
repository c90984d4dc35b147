package metering

import (
	"context"
	"errors"
	"fmt"

	"github.com/dogker/dogker/reconciler/usage"
)

// maxRounds is how many charges a tenant may have in one tick. A day that is caught up with has 25, one for each hour
// that it touches; what is left then is for the next tick.
const maxRounds = 30

// step is a change of a tenant's account that is about to be written.
type step struct {
	book *book
	next usage.Account
}

// commit shows the sample to every account, and writes what has changed and what can be charged. It fails only when
// nothing can be written any more: what one tenant's record comes to is in his book.
func (m *Meter) commit(ctx context.Context, f *usage.Frame) error {
	for tenant := range f.Tenants {
		if m.books[tenant] == nil {
			m.books[tenant] = &book{account: usage.NewAccount(tenant, m.mark.At)}
		}
	}

	var changes []usage.Change
	var steps []step
	for _, tenant := range m.tenants() {
		if b := m.books[tenant]; !b.stale {
			next, changed := b.account.Observe(f)
			changes, steps = m.plan(ctx, changes, steps, step{b, next}, changed)
		}
	}

	for round := 0; len(changes) > 0; round++ {
		written, err := m.write(ctx, changes, steps)
		if err != nil {
			return err
		}
		if round == maxRounds {
			return nil
		}
		changes, steps = nil, nil
		for _, s := range written {
			changes, steps = m.plan(ctx, changes, steps, s, false)
		}
	}

	return nil
}

// plan appends what has to be written so that an account can move on. What needs no writing moves on at once.
func (m *Meter) plan(ctx context.Context, changes []usage.Change, steps []step, s step, changed bool) ([]usage.Change, []step) {
	charge, after, due := s.next.Due()
	if !due && !changed {
		s.book.account = s.next
		return changes, steps
	}

	c := usage.Change{Tenant: s.next.Tenant, Revision: s.book.revision}
	if due {
		c.Charge, s.next = &charge, after
	}
	var err error
	if c.Data, err = s.next.Encode(); err != nil {
		m.disturbed(ctx, s.book, err)
		return changes, steps
	}

	return append(changes, c), append(steps, s)
}

// write makes the changes, and returns the steps that were taken. The account of any other stays where it was, and is read
// again before it is used.
func (m *Meter) write(ctx context.Context, changes []usage.Change, steps []step) ([]step, error) {
	results := m.o.Store.Commit(ctx, changes)
	if len(results) != len(changes) {
		panic(fmt.Sprintf("metering: the store answered %d of %d changes", len(results), len(changes)))
	}

	var done []step
	var fenced error
	for i, r := range results {
		b := steps[i].book
		switch {
		case r.Err == nil:
			b.account, b.revision = steps[i].next, r.Revision
			if changes[i].Charge != nil {
				m.metrics.charged(changes[i].Charge)
			}
			m.recovered(ctx, b)
			done = append(done, steps[i])
		case errors.Is(r.Err, usage.ErrFenced):
			fenced = fmt.Errorf("commit usage of %q: %w", changes[i].Tenant, r.Err)
		default:
			b.stale = true
			m.disturbed(ctx, b, fmt.Errorf("commit usage: %w", r.Err))
		}
	}

	return done, fenced
}
