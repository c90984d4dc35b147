package outbox

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/dogker/dogker/reconciler/alert"
)

// perSecond is how many notices a tenant may put in for long. Each is a write of up to maxSize,
// which the store keeps for some minutes even when it is pushed out by the next one: hundreds of Alerts, each with dozens of
// Receivers, would fill the store, and nobody could write to it any more.
const perSecond = 1

// ErrTooMany is for a notice that can be put in later.
var ErrTooMany = errors.New("too many notices at once")

// paces bounds how fast notices come, for each tenant.
type paces struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

// allow is false for a notice that has to wait. What is told about money is nothing that a tenant makes, and always goes in.
func (p *paces) allow(n *alert.Notification, atOnce int, now time.Time) bool {
	if n.Topic == alert.TopicBilling {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()

	l := p.of[n.Tenant]
	if l == nil {
		p.tidy(now)
		l = rate.NewLimiter(perSecond, atOnce)
		p.of[n.Tenant] = l
	}

	return l.AllowN(now, 1)
}

// tidy forgets those who have been quiet for long: they begin anew with as much.
func (p *paces) tidy(now time.Time) {
	if p.of == nil {
		p.of = map[string]*rate.Limiter{}
	}
	for tenant, l := range p.of {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(p.of, tenant)
		}
	}
}
