package ledger

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// pageSize is how many keys are read at a time.
const pageSize = 500

// Head reads how a tenant stands. One that has no ledger yet has nothing.
func (l *Ledger) Head(ctx context.Context, tenant string) (book.Head, error) {
	head, _, err := l.head(ctx, tenant)
	if err != nil {
		return book.Head{}, fmt.Errorf("read head of %q: %w", tenant, err)
	}

	return head, nil
}

// recall is a head as this process wrote it last, which it is as a rule, or else as it is.
func (l *Ledger) recall(ctx context.Context, tenant string) (book.Head, error) {
	if at, ok := l.cache.get(tenant); ok {
		return at.state.Head, nil
	}

	return l.Head(ctx, tenant)
}

// head returns the revision of the store, too.
func (l *Ledger) head(ctx context.Context, tenant string) (book.Head, int64, error) {
	if err := book.CheckTenant(tenant); err != nil {
		return book.Head{}, 0, err
	}
	got, err := l.get(ctx, headKey(tenant))
	if err != nil {
		return book.Head{}, 0, err
	}
	if len(got.Kvs) == 0 {
		return book.NewHead(tenant), got.Header.Revision, nil
	}
	head, err := decodeHead(tenant, got.Kvs[0].Value)

	return head, got.Header.Revision, err
}

// Heads reads how all tenants stand that have a ledger, in the order of their names. One that cannot be read comes with
// an error and only its tenant; the others follow.
func (l *Ledger) Heads(ctx context.Context) iter.Seq2[book.Head, error] {
	return func(yield func(book.Head, error) bool) {
		for kv, err := range l.scan(ctx, headKey(""), clientv3.GetPrefixRangeEnd(headKey("")), 0) {
			if err != nil {
				yield(book.Head{}, fmt.Errorf("list heads: %w", err))
				return
			}
			tenant := strings.TrimPrefix(string(kv.Key), headKey(""))
			head, err := decodeHead(tenant, kv.Value)
			if err != nil {
				head, err = book.Head{Tenant: tenant}, fmt.Errorf("read head of %q: %w", tenant, err)
			}
			if !yield(head, err) {
				return
			}
		}
	}
}

// Order reads what became of a payment of a tenant, or fails with book.ErrNotFound.
func (l *Ledger) Order(ctx context.Context, tenant, id string) (book.Order, error) {
	got, err := l.get(ctx, orderKey(tenant, id))
	if err == nil && len(got.Kvs) == 0 {
		err = book.ErrNotFound
	}
	var o book.Order
	if err == nil {
		o, err = book.DecodeOrder(got.Kvs[0].Value)
	}
	if err != nil {
		return book.Order{}, fmt.Errorf("read order %q of %q: %w", id, tenant, err)
	}

	return o, nil
}

// Entry reads one entry, or fails with book.ErrNotFound.
func (l *Ledger) Entry(ctx context.Context, tenant string, seq int64) (book.Entry, error) {
	got, err := l.get(ctx, entryKey(tenant, seq))
	if err == nil && len(got.Kvs) == 0 {
		err = book.ErrNotFound
	}
	var e book.Entry
	if err == nil {
		e, err = book.DecodeEntry(got.Kvs[0].Value)
	}
	if err != nil {
		return book.Entry{}, fmt.Errorf("read entry %d of %q: %w", seq, tenant, err)
	}

	return e, nil
}

// Items reads the entries of a tenant that were not pruned, in order, from a number on, each Usage with what it is made
// of. It ends with the first error: what follows an entry that cannot be understood cannot be either.
func (l *Ledger) Items(ctx context.Context, tenant string, from int64) iter.Seq2[book.Item, error] {
	return func(yield func(book.Item, error) bool) {
		fail := func(err error) { yield(book.Item{}, fmt.Errorf("read ledger of %q: %w", tenant, err)) }
		_, revision, err := l.head(ctx, tenant)
		if err != nil {
			fail(err)
			return
		}
		end := clientv3.GetPrefixRangeEnd(entryPrefix(tenant))
		for kv, err := range l.scan(ctx, entryKey(tenant, max(from, 0)), end, revision) {
			var item book.Item
			if err == nil {
				item.Entry, err = book.DecodeEntry(kv.Value)
			}
			if err == nil && item.Entry.Type == book.TypeUsage {
				item.Record, err = l.recordOf(ctx, item.Entry, revision)
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// recordOf reads what a Usage entry is made of, and makes sure of it.
func (l *Ledger) recordOf(ctx context.Context, e book.Entry, revision int64) (*book.Record, error) {
	period, err := e.Period()
	if err != nil {
		return nil, err
	}
	got, err := l.get(ctx, usageKey(e.Tenant, period), clientv3.WithRev(revision))
	if err != nil {
		return nil, err
	}
	if len(got.Kvs) == 0 {
		return nil, fmt.Errorf("entry %d: there is no record of period %s: %w", e.Seq, period, book.ErrBroken)
	}
	record, err := book.DecodeRecord(got.Kvs[0].Value)
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, err)
	}

	_, err = record.Proves(e)

	return &record, err
}

// Open reads what a tenant has used since the last Usage entry; it has no lines if there is nothing.
func (l *Ledger) Open(ctx context.Context, tenant string) (book.Record, error) {
	w := &writer{Ledger: l, req: book.Request{Tenant: tenant, Op: book.Review{}}}
	at, err := w.load(ctx)
	if err != nil {
		return book.Record{}, fmt.Errorf("read open use of %q: %w", tenant, err)
	}
	if at.state.Record.Settled {
		return book.Record{}, nil
	}

	return at.state.Record, nil
}

func (l *Ledger) get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	return l.kv.Get(ctx, key, options...)
}

// scan reads a range page by page, all of it as of one revision; 0 is now.
func (l *Ledger) scan(ctx context.Context, from, end string, revision int64) iter.Seq2[*mvccpb.KeyValue, error] {
	return func(yield func(*mvccpb.KeyValue, error) bool) {
		for {
			got, err := l.get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageSize), clientv3.WithRev(revision))
			if err != nil {
				yield(nil, err)
				return
			}
			for _, kv := range got.Kvs {
				if !yield(kv, nil) {
					return
				}
			}
			if !got.More {
				return
			}
			if revision == 0 {
				revision = got.Header.Revision
			}
			from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
		}
	}
}
