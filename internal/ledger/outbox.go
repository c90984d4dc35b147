package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// Pending is a notice that has not been delivered.
type Pending struct {
	book.Notice
	// revision of the notice that was read; a newer one under the same ID is another.
	revision int64
}

// Outbox reads notices that have not been delivered, at most so many.
func (l *Ledger) Outbox(ctx context.Context, limit int) ([]Pending, error) {
	all := outboxKey("", "")
	all = all[:len(all)-1]
	got, err := l.get(ctx, all, clientv3.WithRange(clientv3.GetPrefixRangeEnd(all)), clientv3.WithLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	pending := make([]Pending, 0, len(got.Kvs))
	for _, kv := range got.Kvs {
		p := Pending{revision: kv.ModRevision}
		if err := json.Unmarshal(kv.Value, &p.Notice); err != nil {
			return nil, fmt.Errorf("read notice %q: %w: %w", kv.Key, book.ErrBroken, err)
		}
		pending = append(pending, p)
	}

	return pending, nil
}

// Delivered takes a notice out of the outbox. When its answer is lost the notice may be read, and delivered, again: that is
// what its ID is for. It is idempotent.
func (l *Ledger) Delivered(ctx context.Context, p Pending) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	key := outboxKey(p.Tenant, p.ID)
	_, err := l.kv.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), "=", p.revision)).
		Then(clientv3.OpDelete(key)).
		Commit()
	if err != nil {
		return fmt.Errorf("remove notice %q of %q: %w", p.ID, p.Tenant, err)
	}

	return nil
}
