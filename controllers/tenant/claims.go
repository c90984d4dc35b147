package tenant

import (
	"net/netip"
	"sync"

	"github.com/dogker/dogker/controllers/tenant/addresses"
)

// claims are the subnets that this process has chosen for tenants. They keep two passes that run at once from choosing the
// same one before either shows in a status.
type claims struct {
	pool addresses.Pool

	mu   sync.Mutex
	held map[string]netip.Prefix // by tenant
	next netip.Addr
}

func newClaims(pool addresses.Pool) *claims {
	return &claims{pool: pool, held: map[string]netip.Prefix{}}
}

// choose claims a free subnet for the tenant, other than the one it may have claimed before. taken are those that others
// are known to have.
func (c *claims) choose(tenant string, bits int, taken []netip.Prefix) (netip.Prefix, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()

	for _, p := range c.held {
		taken = append(taken, p)
	}

	got, ok := c.pool.Next(bits, taken, c.next)
	if !ok {
		return got, false
	}

	c.held[tenant], c.next = got, addresses.End(got)

	return got, true
}

// note takes in what a tenant is known to have, from a status or from Swarm.
func (c *claims) note(tenant string, subnet netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.held[tenant] = subnet
}

// release forgets a tenant.
func (c *claims) release(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	delete(c.held, tenant)
}
