package account

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	billingv1 "github.com/dogker/dogker/api/billing/v1alpha1"
	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

type (
	coupon   = billingv1.Coupon
	redeemed = billingv1.RedeemedCoupon
)

// reasonRedeemed is what a code has come to that was accepted; the other is CodeNotAccepted.
const reasonRedeemed = "Redeemed"

func refused(code billingv1.CouponCode) redeemed {
	return redeemed{Code: code, Reason: billingv1.ReasonCodeNotAccepted}
}

// resultOf is what a status says of a code; nil when it says nothing.
func resultOf(status *billingv1.BillingAccountStatus, code billingv1.CouponCode) *redeemed {
	i := slices.IndexFunc(status.Coupons, func(r redeemed) bool { return r.Code == code })
	if i < 0 {
		return nil
	}

	return &status.Coupons[i]
}

// coupons are all there are, if there is a code that was not redeemed.
func (c *Controller) coupons(ctx context.Context, s *situation) ([]coupon, error) {
	open := slices.ContainsFunc(s.account.Spec.CouponCodes, func(code billingv1.CouponCode) bool {
		known := resultOf(s.before, code)

		return known == nil || known.Reason != reasonRedeemed
	})
	if !open {
		return nil, nil
	}

	var list billingv1.CouponList
	if err := c.cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list coupons: %w", err)
	}

	return list.Items, nil
}

const (
	// guessesAtOnce is how many new codes an account may try at once: as many as its spec has room for.
	guessesAtOnce = 32
	// guessEvery is how long it takes to be allowed one more.
	guessEvery = 10 * time.Minute
)

// memory spares the ledger questions that were answered and the API server writes that were done, and bounds how many codes
// an account tries. Losing it costs the questions and the writes.
type memory struct {
	mu      sync.Mutex
	tenants map[string]*memo
}

// memo is what is remembered of one tenant.
type memo struct {
	// month whose grant was given.
	month string
	// usedUp are coupons, with the generation at which they had been redeemed as often as they could be.
	usedUp map[string]int64
	// guesses is when the account will have as many guesses as there can be.
	guesses time.Time
	// tenant as our last write left it, until the cache shows that; nil otherwise.
	tenant *v1alpha1.Tenant
}

func newMemory() *memory { return &memory{tenants: map[string]*memo{}} }

func (m *memory) of(tenant string) *memo {
	if m.tenants[tenant] == nil {
		m.tenants[tenant] = &memo{usedUp: map[string]int64{}}
	}

	return m.tenants[tenant]
}

// wrote remembers what the API server answered to a write.
func (m *memory) wrote(t *v1alpha1.Tenant) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.of(t.Name).tenant = t
}

// newest is the tenant as it was read, or as our last write left it if the cache does not show that yet: who stops a
// tenant twice tells of it twice.
func (m *memory) newest(read *v1alpha1.Tenant) *v1alpha1.Tenant {
	if read == nil {
		return nil
	}

	m.mu.Lock()
	defer m.mu.Unlock()

	o := m.of(read.Name)
	if o.tenant != nil && o.tenant.UID == read.UID {
		if order, err := resourceversion.CompareResourceVersion(read.ResourceVersion, o.tenant.ResourceVersion); err == nil && order < 0 {
			return o.tenant
		}
	}

	o.tenant = nil

	return read
}

func (m *memory) granted(tenant string) string {
	m.mu.Lock()
	defer m.mu.Unlock()

	return m.of(tenant).month
}

func (m *memory) setGranted(tenant, month string) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.of(tenant).month = month
}

func (m *memory) usedUp(tenant string, c *coupon) bool {
	m.mu.Lock()
	defer m.mu.Unlock()

	generation, known := m.of(tenant).usedUp[c.Name]

	return known && generation == c.Generation
}

func (m *memory) setUsedUp(tenant string, c *coupon) {
	m.mu.Lock()
	defer m.mu.Unlock()

	m.of(tenant).usedUp[c.Name] = c.Generation
}

// mayGuess takes one of the guesses of the tenant, if there is one.
func (m *memory) mayGuess(tenant string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()

	o := m.of(tenant)
	full := o.guesses
	if full.Before(now) {
		full = now
	}
	if full.Add(guessEvery).Sub(now) > guessesAtOnce*guessEvery {
		return false
	}

	o.guesses = full.Add(guessEvery)

	return true
}

func (m *memory) forget(tenant string) {
	m.mu.Lock()
	defer m.mu.Unlock()

	delete(m.tenants, tenant)
}
