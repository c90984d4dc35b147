package addresses

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// The sizes of pools and subnets, as lengths of prefixes. A larger subnet than Largest is none that Swarm handles well;
// a smaller one than Smallest would be used up by a rollout.
const (
	shortestPool = 8
	Largest      = 20
	Smallest     = 26
)

// Pool is the range of addresses that tenants' networks are cut from.
type Pool struct{ prefix netip.Prefix }

// ParsePool reads a pool in CIDR notation: IPv4, private, from /8 to /20.
func ParsePool(s string) (Pool, error) {
	p, err := netip.ParsePrefix(s)

	switch {
	case err != nil:
		return Pool{}, fmt.Errorf("%q must be a range of IPv4 addresses such as 10.64.0.0/10", s)
	case !p.Addr().Is4() || p != p.Masked():
		return Pool{}, fmt.Errorf("%q must be a range of IPv4 addresses that begins with its first one, such as %s", s, p.Masked())
	case p.Bits() < shortestPool || p.Bits() > Largest:
		return Pool{}, fmt.Errorf("%q must have a prefix of %d to %d bits", s, shortestPool, Largest)
	}

	return Pool{p}, nil
}

// String is the pool in CIDR notation.
func (p Pool) String() string { return p.prefix.String() }

// Size is how many addresses the pool has.
func (p Pool) Size() int { return 1 << (32 - p.prefix.Bits()) }

// Contains is true when the subnet lies in the pool.
func (p Pool) Contains(subnet netip.Prefix) bool {
	return subnet.Bits() >= p.prefix.Bits() && p.prefix.Contains(subnet.Addr())
}

// span is a range of addresses; end is the first one that is not in it.
type span struct{ begin, end uint64 }

func spanOf(p netip.Prefix) span {
	begin := number(p.Masked().Addr())

	return span{begin, begin + 1<<(32-p.Bits())}
}

// Next is the first free subnet with that length of prefix from the address after on, or from the beginning of the pool
// when there is none up to its end. A caller that passes the end of what it chose last leaves a subnet that has come
// back to rest for as long as possible. It is false when the pool has no such subnet left.
func (p Pool) Next(bits int, taken []netip.Prefix, after netip.Addr) (netip.Prefix, bool) {
	if bits < p.prefix.Bits() || bits > 32 {
		return netip.Prefix{}, false
	}

	whole := spanOf(p.prefix)
	busy := merged(taken)

	from := whole.begin
	if after.Is4() && p.prefix.Contains(after) {
		from = number(after)
	}

	size := uint64(1) << (32 - bits)

	for _, start := range []uint64{from, whole.begin} {
		if begin, ok := firstFree(busy, roundUp(start, size), whole.end, size); ok {
			return netip.PrefixFrom(address(begin), bits), true
		}
	}

	return netip.Prefix{}, false
}

// firstFree finds the first place of the size that begins at a multiple of it, from begin on and before end.
func firstFree(busy []span, begin, end, size uint64) (uint64, bool) {
	for begin+size <= end {
		// The first busy span that does not end before the place begins.
		i, _ := slices.BinarySearchFunc(busy, begin, func(s span, at uint64) int {
			if s.end <= at {
				return -1
			}

			return 1
		})
		if i == len(busy) || busy[i].begin >= begin+size {
			return begin, true
		}

		begin = roundUp(busy[i].end, size)
	}

	return 0, false
}

// merged sorts the spans of the IPv4 prefixes and joins those that overlap.
func merged(prefixes []netip.Prefix) []span {
	var spans []span

	for _, p := range prefixes {
		if p.Addr().Is4() {
			spans = append(spans, spanOf(p))
		}
	}

	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })

	var out []span

	for _, s := range spans {
		if last := len(out) - 1; last >= 0 && s.begin <= out[last].end {
			out[last].end = max(out[last].end, s.end)
		} else {
			out = append(out, s)
		}
	}

	return out
}

func roundUp(n, size uint64) uint64 { return (n + size - 1) / size * size }

func number(a netip.Addr) uint64 {
	b := a.As4()

	return uint64(binary.BigEndian.Uint32(b[:]))
}

func address(n uint64) netip.Addr {
	var b [4]byte

	binary.BigEndian.PutUint32(b[:], uint32(n)) //nolint:gosec // a number of an address has 32 bits

	return netip.AddrFrom4(b)
}

// End is the first address after the subnet; the zero Addr after the last of all.
func End(subnet netip.Prefix) netip.Addr {
	end := spanOf(subnet).end
	if end > 1<<32-1 {
		return netip.Addr{}
	}

	return address(end)
}
