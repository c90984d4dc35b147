package topup

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/reconciler/payment"
)

// IndexOrder finds the TopUp of an order.
const IndexOrder = "order"

// Order is the value of IndexOrder.
func (c *Controller) Order(o client.Object) []string {
	t, ok := o.(*billingv1.TopUp)
	if !ok {
		return nil
	}

	id, err := c.OrderID(t)
	if err != nil {
		return nil
	}

	return []string{id}
}

// Exists tells whether a TopUp has the order. It reads the cache, so one that was made a moment ago may be missing; nobody
// can have paid it yet.
func (c *Controller) Exists(ctx context.Context, orderID string) (bool, error) {
	found, err := c.find(ctx, orderID)

	return len(found) > 0, err
}

func (c *Controller) find(ctx context.Context, orderID string) ([]billingv1.TopUp, error) {
	if tag, ok := payment.OrderCluster(orderID); !ok || tag != c.opts.Cluster {
		return nil, nil
	}

	var list billingv1.TopUpList
	if err := c.client.List(ctx, &list, client.MatchingFields{IndexOrder: orderID}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("find top-up of order %q: %w", orderID, err)
	}

	return list.Items, nil
}

// Hint notes that something may have become of an order, so that the next pass over its TopUp asks at once, and returns the
// request for that pass. What cannot be found now is found by polling.
func (c *Controller) Hint(ctx context.Context, orderID string) []reconcile.Request {
	found, err := c.find(ctx, orderID)
	if err != nil {
		return nil
	}

	requests := make([]reconcile.Request, len(found))
	for i := range found {
		key := client.ObjectKeyFromObject(&found[i])
		c.hints.add(key)
		requests[i] = reconcile.Request{NamespacedName: key}
	}

	return requests
}

// hints are the TopUps that somebody has hinted at. A hint is over when the answer to it is in the status that is stored, of
// which CheckedAt tells: what a pass has found out is lost when its status cannot be written, and nobody hints twice.
type hints struct {
	mu   sync.Mutex
	keys map[types.NamespacedName]hint
}

// hint is whether the gateway was asked because of it, and what CheckedAt was before that.
type hint struct {
	asked  bool
	before *metav1.Time
}

func (h *hints) add(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.keys == nil {
		h.keys = map[types.NamespacedName]hint{}
	}

	h.keys[key] = hint{}
}

// asking notes that the gateway is being asked.
func (h *hints) asking(key types.NamespacedName, checked *metav1.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if _, hinted := h.keys[key]; hinted {
		h.keys[key] = hint{asked: true, before: checked.DeepCopy()}
	}
}

// open is true while there is a hint whose answer is not stored. Two answers within a second cannot be told apart; then the
// gateway is asked once more.
func (h *hints) open(key types.NamespacedName, checked *metav1.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()

	hint, hinted := h.keys[key]
	if !hinted || !hint.asked || hint.before.Equal(checked) {
		return hinted
	}

	delete(h.keys, key)

	return false
}

func (h *hints) forget(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()

	delete(h.keys, key)
}
