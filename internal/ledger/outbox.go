package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// Pending is a notice that has not been delivered.
type Pending struct {
	book.Notice
	// Revision of the store at which it was written. Later ones are greater, those of one transaction have the same, and a
	// newer notice under the same ID is another.
	Revision int64
}

// Outbox reads notices that have not been delivered and were written after a revision, oldest first and at most so many.
func (l *Ledger) Outbox(ctx context.Context, after int64, limit int) ([]Pending, error) {
	all := outboxKey("", "")
	all = all[:len(all)-1]
	got, err := l.get(ctx, all, clientv3.WithRange(clientv3.GetPrefixRangeEnd(all)), clientv3.WithMinModRev(after+1),
		clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend), clientv3.WithLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	pending := make([]Pending, 0, len(got.Kvs))
	for _, kv := range got.Kvs {
		p := Pending{Revision: kv.ModRevision}
		if err := json.Unmarshal(kv.Value, &p.Notice); err != nil {
			return nil, fmt.Errorf("read notice %q: %w: %w", kv.Key, book.ErrBroken, err)
		}
		pending = append(pending, p)
	}
	// The store says nothing about the order of what was written at once.
	slices.SortFunc(pending, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID))
	})

	return pending, nil
}

// Delivered takes a notice out of the outbox. When its answer is lost the notice may be read, and delivered, again: that is
// what its ID is for. It is idempotent.
func (l *Ledger) Delivered(ctx context.Context, p Pending) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	key := outboxKey(p.Tenant, p.ID)
	_, err := l.kv.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", p.Revision)).
		Then(clientv3.OpDelete(key)).
		Commit()
	if err != nil {
		return fmt.Errorf("remove notice %q of %q: %w", p.ID, p.Tenant, err)
	}

	return nil
}
