package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrNotPublic means that a name or an address leads to where tenants' requests do not go.
var ErrNotPublic = errors.New("the address is not public")

// ErrBudget means that more was sent than is read.
var ErrBudget = errors.New("more was sent than is read")

// Dialer opens connections to public addresses. Its fields must not change while it is used.
type Dialer struct {
	// AllowPrivate lets it dial every address.
	AllowPrivate bool
	// Allow says which addresses are dialed otherwise; nil is Public.
	Allow func(netip.Addr) bool
	// Timeout is how long it tries, for all addresses of a name together.
	Timeout time.Duration
	// Budget bounds what connections may read; nil is no bound.
	Budget *Budget
}

// DialContext connects. When ctx has a deadline the connection has it as well, so that a partner who sends a byte a minute is
// left when the time is up.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: d.Timeout, ControlContext: d.control}

	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}

	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			_ = conn.Close()

			return nil, err
		}
	}

	if d.Budget == nil {
		return conn, nil
	}

	return &metered{Conn: conn, budget: d.Budget}, nil
}

// control sees the address that is really connected to.
func (d *Dialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	if d.AllowPrivate {
		return nil
	}

	allow := d.Allow
	if allow == nil {
		allow = Public
	}

	at, err := netip.ParseAddrPort(address)
	if err != nil || !allow(at.Addr()) {
		return ErrNotPublic
	}

	return nil
}

// Budget is how many bytes may still be read.
type Budget struct {
	left atomic.Int64
}

// NewBudget allows so many bytes.
func NewBudget(bytes int64) *Budget {
	var b Budget

	b.left.Store(bytes)

	return &b
}

// Exceeded tells whether more was sent than that.
func (b *Budget) Exceeded() bool { return b.left.Load() < 0 }

// metered is a connection whose reads cost.
type metered struct {
	net.Conn
	budget *Budget
}

// Read fails for good once the budget is spent.
func (m *metered) Read(p []byte) (int, error) {
	if m.budget.Exceeded() {
		return 0, ErrBudget
	}

	n, err := m.Conn.Read(p)
	if m.budget.left.Add(-int64(n)) < 0 {
		return 0, ErrBudget
	}

	return n, err
}
