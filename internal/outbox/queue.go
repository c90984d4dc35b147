package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/dogker/dogker/reconciler/alert"
	"github.com/dogker/dogker/reconciler/logkey"
)

const (
	// callTimeout is how long the store may take.
	callTimeout = 5 * time.Second
	// remembered is for how long it is known that a notice was delivered, and how delivery to a Receiver stood.
	remembered = 14 * 24 * time.Hour
	// leasePeriod is for how long what is to be forgotten shares a lease.
	leasePeriod = 24 * time.Hour
	// maxSize is how large a notice may be, in bytes.
	maxSize = 256 << 10
	// maxID is how long an ID may be.
	maxID = 253
	// page is how many notices are read at a time.
	page = 500
)

// ErrInvalid is a notice that cannot be stored, however often it is tried.
var ErrInvalid = errors.New("invalid notice")

// Limits of a Queue.
type Limits struct {
	// PerTenant and Overall are how many notices may wait.
	PerTenant, Overall int64
	// AtOnce is how many notices of a tenant may be put in at once, other than about money; after that one a second.
	AtOnce int
}

// DefaultLimits are about 40 MB of notices as they usually are.
var DefaultLimits = Limits{PerTenant: 500, Overall: 10_000, AtOnce: 500}

// Queue is where notices wait. It is safe for concurrent use, by any number of servers.
type Queue struct {
	client  *clientv3.Client
	now     func() time.Time
	limits  Limits
	log     *slog.Logger
	metrics *metrics
	paces   paces

	mu         sync.Mutex
	lease      clientv3.LeaseID
	leaseUntil time.Time
}

var _ alert.Outbox = (*Queue)(nil)

// QueueOptions of a Queue. All have defaults.
type QueueOptions struct {
	// Now is the time; that of the machine when nil.
	Now func() time.Time
	// Limits are DefaultLimits where they are zero.
	Limits Limits
	// Log gets what an operator should know; nowhere when nil.
	Log *slog.Logger
	// Registerer of the metrics, also of those of a Deliverer; they are not exposed when nil.
	Registerer prometheus.Registerer
}

// NewQueue makes a queue on a store.
func NewQueue(client *clientv3.Client, o QueueOptions) (*Queue, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, err
	}
	limits := Limits{
		PerTenant: cmp.Or(o.Limits.PerTenant, DefaultLimits.PerTenant),
		Overall:   cmp.Or(o.Limits.Overall, DefaultLimits.Overall),
		AtOnce:    cmp.Or(o.Limits.AtOnce, DefaultLimits.AtOnce),
	}

	return &Queue{client: client, now: o.Now, limits: limits, log: o.Log, metrics: m}, nil
}

// Put implements alert.Outbox.
func (q *Queue) Put(ctx context.Context, n alert.Notification) error {
	if err := q.put(ctx, n); err != nil {
		return fmt.Errorf("put notice %q of %q into the outbox: %w", n.ID, n.Tenant, err)
	}

	return nil
}

func (q *Queue) put(ctx context.Context, n alert.Notification) error {
	switch {
	case n.ID == "" || len(n.ID) > maxID || strings.ContainsAny(n.ID, "/\x00"):
		return fmt.Errorf("%w: its ID must have 1 to %d characters and no slash", ErrInvalid, maxID)
	case n.Tenant == "" || strings.ContainsAny(n.Tenant, "/\x00"):
		return fmt.Errorf("%w: its tenant must be a namespace", ErrInvalid)
	case len(n.Incidents) == 0:
		return fmt.Errorf("%w: it is about nothing", ErrInvalid)
	}
	value, err := (&record{Notification: n, Put: q.now().UTC()}).encode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(value) > maxSize {
		return fmt.Errorf("%w: it has %d bytes, and must have at most %d", ErrInvalid, len(value), maxSize)
	}
	if !q.paces.allow(&n, q.limits.AtOnce, q.now()) {
		return ErrTooMany
	}

	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	wait, done := waitKey(n.Tenant, n.ID), doneKey(n.Tenant, n.ID)
	got, err := q.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(wait), "=", 0), clientv3.Compare(clientv3.CreateRevision(done), "=", 0)).
		Then(clientv3.OpPut(wait, value)).
		Commit()
	if err != nil || !got.Succeeded {
		return err
	}
	// It is in. What is over a limit now and cannot be dropped is dropped with the next one.
	if err := q.trim(ctx, n.Tenant); err != nil {
		q.log.WarnContext(ctx, "Dropping notices that are too many failed", logkey.Tenant, n.Tenant, logkey.Err, err)
	}

	return nil
}

// trim drops what is over the limits once a tenant has one more.
func (q *Queue) trim(ctx context.Context, tenant string) error {
	mine, err := q.client.Get(ctx, waitOf(tenant), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		return err
	}
	if over := mine.Count - q.limits.PerTenant; over > 0 {
		return q.drop(ctx, tenant, over)
	}
	all, err := q.client.Get(ctx, waitPrefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil || all.Count <= q.limits.Overall {
		return err
	}
	if tenant, err = q.largest(ctx); err != nil {
		return err
	}

	return q.drop(ctx, tenant, all.Count-q.limits.Overall)
}

// largest is the tenant that most notices wait for.
func (q *Queue) largest(ctx context.Context) (string, error) {
	got, err := q.client.Get(ctx, waitPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return "", err
	}
	counts, most := map[string]int{}, ""
	for _, kv := range got.Kvs {
		tenant, _, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), waitPrefix), "/")
		counts[tenant]++
		if counts[tenant] > counts[most] {
			most = tenant
		}
	}

	return most, nil
}

// drop pushes the oldest notices of a tenant out.
func (q *Queue) drop(ctx context.Context, tenant string, n int64) error {
	oldest, err := q.client.Get(ctx, waitOf(tenant), clientv3.WithPrefix(), clientv3.WithKeysOnly(), clientv3.WithLimit(n),
		clientv3.WithSort(clientv3.SortByCreateRevision, clientv3.SortAscend))
	if err != nil {
		return err
	}
	for _, kv := range oldest.Kvs {
		got, err := q.client.Delete(ctx, string(kv.Key))
		if err != nil {
			return err
		}
		if got.Deleted > 0 {
			q.metrics.count(outcomeDropped)
			q.log.ErrorContext(ctx, "Too many notices wait, and the oldest is dropped",
				logkey.Tenant, tenant, logkey.Object, strings.TrimPrefix(string(kv.Key), waitOf(tenant)))
		}
	}

	return nil
}

// save writes what became of a notice, and how delivery to its Receiver stands. Nothing is written when somebody else has
// written the notice since, or dropped it; found is false then. A record whose targets are all done leaves the queue.
func (q *Queue) save(ctx context.Context, r *record, over bool, state alert.DeliveryState) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	lease, err := q.forgetting(ctx)
	if err != nil {
		return false, err
	}
	shown, err := json.Marshal(state)
	if err != nil {
		return false, err
	}
	ops := []clientv3.Op{clientv3.OpPut(stateKey(r.Notification.Receiver), string(shown), clientv3.WithLease(lease))}
	if over {
		done := doneKey(r.Notification.Tenant, r.Notification.ID)
		ops = append(ops, clientv3.OpDelete(r.key()), clientv3.OpPut(done, endOf(r, q.now()), clientv3.WithLease(lease)))
	} else {
		value, err := r.encode()
		if err != nil {
			return false, err
		}
		ops = append(ops, clientv3.OpPut(r.key(), value))
	}
	got, err := q.client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(r.key()), "=", r.revision)).
		Then(ops...).
		Commit()
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		q.forgetLease() // The store was restored from a backup that did not have it.
	}
	if err != nil {
		return true, fmt.Errorf("write what became of notice %q of %q: %w", r.Notification.ID, r.Notification.Tenant, err)
	}
	r.revision = got.Header.Revision

	return got.Succeeded, nil
}

// forgetting is a lease for what is written now and is to be forgotten in time. All of a day share one.
func (q *Queue) forgetting(ctx context.Context) (clientv3.LeaseID, error) {
	q.mu.Lock()
	defer q.mu.Unlock()

	if now := time.Now(); now.After(q.leaseUntil) {
		got, err := q.client.Grant(ctx, int64((remembered+leasePeriod)/time.Second))
		if err != nil {
			return 0, fmt.Errorf("grant lease: %w", err)
		}
		q.lease, q.leaseUntil = got.ID, now.Add(leasePeriod)
	}

	return q.lease, nil
}

func (q *Queue) forgetLease() {
	q.mu.Lock()
	defer q.mu.Unlock()

	q.leaseUntil = time.Time{}
}

// states reads how delivery to all Receivers stood.
func (q *Queue) states(ctx context.Context) (map[alert.ReceiverRef]alert.DeliveryState, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()

	got, err := q.client.Get(ctx, statePrefix, clientv3.WithPrefix())
	if err != nil {
		return nil, fmt.Errorf("read states of receivers: %w", err)
	}
	states := make(map[alert.ReceiverRef]alert.DeliveryState, len(got.Kvs))
	for _, kv := range got.Kvs {
		namespace, name, _ := strings.Cut(strings.TrimPrefix(string(kv.Key), statePrefix), "/")
		var s alert.DeliveryState
		if json.Unmarshal(kv.Value, &s) == nil {
			states[alert.ReceiverRef{Namespace: namespace, Name: name}] = s
		}
	}

	return states, nil
}
