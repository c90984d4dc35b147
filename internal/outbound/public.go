package outbound

import "net/netip"

// special are ranges that netip has no name for and that are nobody's on the Internet, or that stand for other addresses.
// They are those of IANA's registries of special-purpose addresses that are not globally reachable.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible, and unspecified
	netip.MustParsePrefix("64:ff9b::/96"),    // NAT64: stands for an IPv4 address
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64 of a site
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/23"),       // protocol assignments, Teredo
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("2002::/16"),       // 6to4: stands for an IPv4 address
	netip.MustParsePrefix("3fff::/20"),       // documentation
	netip.MustParsePrefix("5f00::/16"),       // segment routing
	netip.MustParsePrefix("fec0::/10"),       // site-local
}

// Public tells whether an address can be somebody's on the Internet. Whatever is not known to be is not.
func Public(addr netip.Addr) bool {
	addr = addr.Unmap()

	if !addr.IsValid() || addr.Zone() != "" || !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false
	}

	for _, p := range special {
		if p.Contains(addr) {
			return false
		}
	}

	return true
}
