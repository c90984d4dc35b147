package webhook

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// maxHops of X-Forwarded-For that are looked at.
const maxHops = 16

// sender is the address that a request is counted for, with a port or without: that of the connection, or that for which
// a trusted proxy speaks. Of a chain the last address counts that is no trusted proxy; what is before it, anybody may
// have written.
func (h *Handler) sender(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !h.trusts(peer.Addr()) {
		return r.RemoteAddr
	}

	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	slices.Reverse(hops)

	for _, hop := range hops[:min(len(hops), maxHops)] {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}

		if !h.trusts(addr) {
			return netip.AddrPortFrom(addr, 0).String()
		}
	}

	return r.RemoteAddr
}

func (h *Handler) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(h.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}
