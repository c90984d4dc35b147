package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/book"
)

// snapshot is what is known of a tenant, as of one revision of the store.
type snapshot struct {
	state book.State
	// headRevision is when the head was written, 0 for never. Whatever else belongs to the tenant changes only with it.
	headRevision int64
	// idem is what the key of the request was used for, if it was.
	idem *idem
	// coupon is how often the coupon of the request was redeemed, and since when.
	coupon         int64
	couponRevision int64
}

// idem says which entry an idempotency key belongs to, and what was asked for.
type idem struct {
	Seq     int64  `json:"seq"`
	Request string `json:"request"`
}

// load reads what the request needs, all of one revision.
func (w *writer) load(ctx context.Context) (snapshot, error) {
	tenant, op := w.req.Tenant, w.req.Op
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	first, err := w.kv.Txn(ctx).Then(
		clientv3.OpGet(headKey(tenant)), clientv3.OpGet(idemKey(tenant, op.Key())),
	).Commit()
	if err != nil {
		return snapshot{}, err
	}
	at := snapshot{state: book.State{Head: book.NewHead(tenant)}}
	if kv := single(first, 0); kv != nil {
		at.headRevision = kv.ModRevision
		if at.state.Head, err = decodeHead(tenant, kv.Value); err != nil {
			return snapshot{}, err
		}
	}
	if kv := single(first, 1); kv != nil {
		at.idem = &idem{}
		if err := json.Unmarshal(kv.Value, at.idem); err != nil {
			return snapshot{}, fmt.Errorf("decode key %q: %w: %w", op.Key(), book.ErrBroken, err)
		}
		return at, nil
	}

	return at, w.loadRest(ctx, &at, first.Header.Revision)
}

// loadRest reads what the head leads to. Other writers may have come in between, so it reads as of the head's revision.
func (w *writer) loadRest(ctx context.Context, at *snapshot, revision int64) error {
	tenant, head := w.req.Tenant, at.state.Head
	order := book.OrderOf(w.req.Op, head)
	coupon, _, redeems := book.CouponOf(w.req.Op)

	var gets []clientv3.Op
	need := func(wanted bool, key string) (index int) {
		if !wanted {
			return -1
		}
		gets = append(gets, clientv3.OpGet(key, clientv3.WithRev(revision)))
		return len(gets) - 1
	}
	iRecord := need(head.Period.Hour != 0, usageKey(tenant, head.Period))
	iOrder := need(order != "", orderKey(tenant, order))
	iCoupon := need(redeems, couponKey(coupon))
	if len(gets) == 0 {
		return at.state.Check()
	}

	got, err := w.kv.Txn(ctx).Then(gets...).Commit()
	if err != nil {
		return err
	}
	if kv := single(got, iRecord); kv != nil {
		if at.state.Record, err = book.DecodeRecord(kv.Value); err != nil {
			return err
		}
	}
	if kv := single(got, iOrder); kv != nil {
		if at.state.Order, err = book.DecodeOrder(kv.Value); err != nil {
			return err
		}
	}
	if kv := single(got, iCoupon); kv != nil {
		at.couponRevision = kv.ModRevision
		if err := json.Unmarshal(kv.Value, &at.coupon); err != nil {
			return fmt.Errorf("decode coupon %q: %w: %w", coupon, book.ErrBroken, err)
		}
	}

	return at.state.Check()
}

// single returns what the get with an index found, if it did; without an index, nothing.
func single(got *clientv3.TxnResponse, index int) *mvccpb.KeyValue {
	if index < 0 {
		return nil
	}
	kvs := got.Responses[index].GetResponseRange().Kvs
	if len(kvs) == 0 {
		return nil
	}

	return kvs[0]
}

// decodeHead reads a head and refuses that of another tenant.
func decodeHead(tenant string, data []byte) (book.Head, error) {
	head, err := book.DecodeHead(data)
	if err == nil && head.Tenant != tenant {
		err = fmt.Errorf("the head of %q is stored as that of %q: %w", head.Tenant, tenant, book.ErrBroken)
	}

	return head, err
}

// maxCached is how many tenants are remembered.
const maxCached = 10_000

// cache remembers how tenants stood when this process wrote to them last. What it says may be out of date.
type cache struct {
	mu      sync.Mutex
	tenants map[string]snapshot
}

func newCache() *cache { return &cache{tenants: map[string]snapshot{}} }

func (c *cache) get(tenant string) (snapshot, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.tenants[tenant]

	return at, ok
}

func (c *cache) put(tenant string, at snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.tenants[tenant]; !known && len(c.tenants) >= maxCached {
		for other := range c.tenants {
			delete(c.tenants, other)
			break
		}
	}
	c.tenants[tenant] = at
}

// remembered is how the tenant stood, if that is enough to try the request: what an order or a coupon stands at is not
// remembered.
func (w *writer) remembered() (snapshot, bool) {
	at, ok := w.cache.get(w.req.Tenant)
	if !ok || book.OrderOf(w.req.Op, at.state.Head) != "" {
		return snapshot{}, false
	}
	if _, _, redeems := book.CouponOf(w.req.Op); redeems {
		return snapshot{}, false
	}
	switch w.req.Op.(type) {
	case book.RefundPost, book.RefundVoid:
		// Their order follows from a hold, which somebody else may have made since.
		return snapshot{}, false
	}

	return at, true
}
