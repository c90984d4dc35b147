package throttle

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops of X-Forwarded-For that are looked at.
const maxHops = 16

// Proxies are those that may say for whom they speak, by X-Forwarded-For.
type Proxies []netip.Prefix

// ParseProxies reads addresses and ranges. The error names the one that is neither.
func ParseProxies(texts []string) (Proxies, error) {
	var proxies Proxies

	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if addr, notRange := netip.ParseAddr(text); err != nil && notRange == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}

		if err != nil {
			return nil, fmt.Errorf("%q must be an address or a range, such as 10.0.0.0/8", text)
		}

		proxies = append(proxies, prefix.Masked())
	}

	return proxies, nil
}

// Sender is the address that a request is counted for, with a port or without: that of the connection, or that for which
// a trusted proxy speaks. Of a chain the last address counts that is no trusted proxy; what is before it, anybody may
// have written.
func (p Proxies) Sender(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.trust(peer.Addr()) {
		return r.RemoteAddr
	}

	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	slices.Reverse(hops)

	for _, hop := range hops[:min(len(hops), maxHops)] {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}

		if !p.trust(addr) {
			return netip.AddrPortFrom(addr, 0).String()
		}
	}

	return r.RemoteAddr
}

func (p Proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}
