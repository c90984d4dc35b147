package outbox

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

// follower is told what waits.
type follower interface {
	// all is told everything that waits, and how delivery to Receivers stood, at first and whenever something may have been missed.
	all(records []*record, states map[alert.ReceiverRef]alert.DeliveryState)
	// one is told of a notice that was put in or written.
	one(*record)
	// gone is told of the key of one that has left.
	gone(key string)
}

// follow tells what waits, until the context ends.
func (q *Queue) follow(ctx context.Context, f follower) {
	for ctx.Err() == nil {
		if err := q.followOnce(ctx, f); err != nil && ctx.Err() == nil {
			q.log.WarnContext(ctx, "Following the outbox failed; it is read again", logkey.Err, err, logkey.After, breath)
		}
		sleep(ctx, breath)
	}
}

func (q *Queue) followOnce(ctx context.Context, f follower) error {
	records, revision, err := q.list(ctx)
	if err != nil {
		return err
	}
	states, err := q.states(ctx)
	if err != nil {
		return err
	}
	f.all(records, states)

	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	for got := range q.client.Watch(ctx, waitPrefix, clientv3.WithPrefix(), clientv3.WithRev(revision+1)) {
		if err := got.Err(); err != nil {
			return fmt.Errorf("watch outbox: %w", err)
		}
		for _, e := range got.Events {
			if e.Type == clientv3.EventTypeDelete {
				f.gone(string(e.Kv.Key))
			} else if r := q.decode(ctx, e.Kv.Key, e.Kv.Value, e.Kv.ModRevision); r != nil {
				f.one(r)
			}
		}
	}

	return nil
}

// list reads all that waits, page by page, as of one revision.
func (q *Queue) list(ctx context.Context) (records []*record, revision int64, err error) {
	from, end := waitPrefix, clientv3.GetPrefixRangeEnd(waitPrefix)
	for {
		got, err := q.page(ctx, from, end, revision)
		if err != nil {
			return nil, 0, fmt.Errorf("read outbox: %w", err)
		}
		if revision == 0 {
			revision = got.Header.Revision
		}
		for _, kv := range got.Kvs {
			from = string(kv.Key) + "\x00"
			if r := q.decode(ctx, kv.Key, kv.Value, kv.ModRevision); r != nil {
				records = append(records, r)
			}
		}
		if !got.More {
			return records, revision, nil
		}
	}
}

func (q *Queue) page(ctx context.Context, from, end string, revision int64) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	return q.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(page), clientv3.WithRev(revision))
}

// decode reads a record. One that cannot be read, because a newer version or somebody by hand has written it, keeps no other
// from being delivered.
func (q *Queue) decode(ctx context.Context, key, value []byte, revision int64) *record {
	r, err := decode(key, value, revision)
	if err != nil {
		q.log.ErrorContext(ctx, "A notice cannot be read and is left alone", logkey.Err, err)
		return nil
	}

	return r
}
