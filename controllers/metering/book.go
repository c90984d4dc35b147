package metering

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/usage"
)

// book is the account of a tenant and how it is stored.
type book struct {
	account  usage.Account
	revision int64
	// trouble is why the account is not kept at the moment; nil when it is.
	trouble error
	// stale is true when the record must be read again before anything is done with it.
	stale bool
}

// load reads everything, once. A tenant whose record cannot be read is left alone; without a mark nothing is begun.
func (m *Meter) load(ctx context.Context) error {
	if m.loaded {
		return nil
	}

	stored, err := m.o.Store.Load(ctx)
	if err != nil {
		return fmt.Errorf("load usage: %w", err)
	}
	mark, err := usage.DecodeMark(stored.Mark)
	if err != nil {
		return fmt.Errorf("load usage: %w", err)
	}

	m.mark = mark
	for tenant, at := range mark.Behind {
		m.books[tenant] = &book{account: usage.NewAccount(tenant, at)}
	}
	for _, r := range stored.Records {
		m.books[r.Tenant] = &book{account: usage.NewAccount(r.Tenant, mark.For(r.Tenant)), revision: r.Revision}
		m.adopt(ctx, r)
	}
	m.newest = mark.At
	for _, b := range m.books {
		m.newest = max(m.newest, b.account.At)
	}
	m.loaded = true

	return nil
}

// adopt takes a record over that was read. One that is as it was holds for all the samples since that changed nothing, for
// which no record is written. One that somebody else wrote holds for what he saw, and says nothing of what was seen here.
func (m *Meter) adopt(ctx context.Context, r usage.Record) {
	b := m.books[r.Tenant]
	at := b.account.At
	account := usage.NewAccount(r.Tenant, at)
	if r.Data != nil {
		var err error
		if account, err = usage.DecodeAccount(r.Tenant, r.Data); err != nil {
			b.stale = true
			m.disturbed(ctx, b, err)

			return
		}
	}
	if r.Revision == b.revision {
		account = account.Follow(at)
	}
	b.account, b.revision, b.stale = account, r.Revision, false
	m.recovered(ctx, b)
}

// reload reads again what may have changed.
func (m *Meter) reload(ctx context.Context) error {
	for _, tenant := range m.tenants() {
		if !m.books[tenant].stale {
			continue
		}
		r, err := m.o.Store.Reload(ctx, tenant)
		if errors.Is(err, usage.ErrFenced) {
			return fmt.Errorf("reload usage of %q: %w", tenant, err)
		}
		if err != nil {
			m.disturbed(ctx, m.books[tenant], fmt.Errorf("reload usage: %w", err))
			continue
		}
		m.adopt(ctx, r)
	}

	return nil
}

// tenants lists those with a book, in order.
func (m *Meter) tenants() []string { return slices.Sorted(maps.Keys(m.books)) }

// disturbed notes that a tenant's account cannot be kept. It is told once, until it can be again.
func (m *Meter) disturbed(ctx context.Context, b *book, err error) {
	if b.trouble == nil {
		m.log.ErrorContext(ctx, "Cannot keep the usage of a tenant, who is not charged meanwhile", logkey.Tenant, b.account.Tenant, logkey.Err, err)
	}
	b.trouble = err
}

func (m *Meter) recovered(ctx context.Context, b *book) {
	if b.trouble != nil && !b.stale {
		m.log.InfoContext(ctx, "Keeping the usage of the tenant again", logkey.Tenant, b.account.Tenant)
		b.trouble = nil
	}
}

// saveMark says that the sample was taken in for everybody but those for whom it was not.
func (m *Meter) saveMark(ctx context.Context, at int64) error {
	mark := usage.Mark{At: at}
	for tenant, b := range m.books {
		if b.account.At >= at {
			continue
		}
		if mark.Behind == nil {
			mark.Behind = map[string]int64{}
		}
		mark.Behind[tenant] = b.account.At
	}
	m.mark, m.newest = mark, max(m.newest, at)

	data, err := mark.Encode()
	if err != nil {
		return err
	}
	if err := m.o.Store.SaveMark(ctx, data); err != nil {
		return fmt.Errorf("save mark: %w", err)
	}

	return nil
}
