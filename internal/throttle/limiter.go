package throttle

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// tableSlots is the size of a limiter's table. It is a power of two.
const tableSlots = 1 << 14

// Limiter limits how often something may happen for a key: burst times at once, then once each interval. Its table has a
// fixed size, and no flood of keys makes it forget one: two keys that fall on one slot share its limit, and which do is
// random for each process. It is the generic cell rate algorithm, which keeps one time for each slot.
type Limiter struct {
	interval time.Duration
	burst    int

	seed maphash.Seed
	mu   sync.Mutex
	// full holds, in nanoseconds since 1970, when each slot would have its whole burst again.
	full []int64
}

// New makes a limiter that lets burst happen at once, and then one each interval.
func New(burst int, interval time.Duration) *Limiter {
	return &Limiter{interval: interval, burst: burst, seed: maphash.MakeSeed(), full: make([]int64, tableSlots)}
}

// Take counts one more for the key. It returns zero, or, without counting, how long to wait until it may happen.
func (l *Limiter) Take(key string, now time.Time) time.Duration {
	slot := l.slot(key)
	l.mu.Lock()
	defer l.mu.Unlock()

	if wait := l.over(slot, now); wait > 0 {
		return time.Duration(wait)
	}
	l.full[slot] = max(l.full[slot], now.UnixNano()) + int64(l.interval)

	return 0
}

// over is how far one more would be above the limit, in nanoseconds.
func (l *Limiter) over(slot uint64, now time.Time) int64 {
	next := max(l.full[slot], now.UnixNano()) + int64(l.interval)

	return next - now.UnixNano() - int64(l.burst)*int64(l.interval)
}

// Wait is how long to wait until it may happen for the key: zero when it may now. It counts nothing, for those that count
// only what went wrong.
func (l *Limiter) Wait(key string, now time.Time) time.Duration {
	slot := l.slot(key)
	l.mu.Lock()
	defer l.mu.Unlock()

	return max(0, time.Duration(l.over(slot, now)))
}

// GiveBack uncounts one: whoever it was has shown that they are no stranger.
func (l *Limiter) GiveBack(key string) {
	slot := l.slot(key)
	l.mu.Lock()
	defer l.mu.Unlock()

	l.full[slot] -= int64(l.interval)
}

func (l *Limiter) slot(key string) uint64 { return maphash.String(l.seed, key) & (tableSlots - 1) }

// AddressKey is what an address is limited by. Whoever has an IPv6 address has all of its network of 64 bits.
func AddressKey(remote string) string {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := addr.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}

	return network.String()
}
