package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// sizePause lies between two pages while everything is measured, so that a large ledger is read over minutes and nobody
// who waits for the store notices.
const sizePause = 20 * time.Millisecond

// sorts are the sorts of keys that Sizes tells apart.
var sorts = []string{"checkpoint", "coupon", "entry", "head", "idem", "inbox", "mark", "meter", "order", "outbox", "term", "usage"}

// Sizes adds up how many bytes of keys and values the ledger has in the store, by sort of key. It reads everything, slowly,
// and not as of one moment.
func (l *Ledger) Sizes(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	for _, sort := range sorts {
		out[sort] = 0
	}
	from, end := prefix, clientv3.GetPrefixRangeEnd(prefix)
	for {
		got, err := l.get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(pageSize))
		if err != nil {
			return nil, fmt.Errorf("measure the ledger: %w", err)
		}
		for _, kv := range got.Kvs {
			sort, _, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), prefix), "/")
			if _, known := out[sort]; known {
				out[sort] += int64(len(kv.Key) + len(kv.Value))
			}
		}
		if !got.More {
			return out, nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
		timer := time.NewTimer(sizePause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}
