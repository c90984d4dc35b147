// Package outbound dials where others tell us to: addresses that come out of what tenants declare. It refuses every address
// that is not public, and bounds what is read.
//
//   - The address is checked when it is dialed, after the name was resolved, for every connection and so for every redirect:
//     a name that leads elsewhere a moment later does not help.
//   - Addresses that stand for other addresses (IPv4 in IPv6, NAT64, 6to4, Teredo) are judged by what they stand for, or refused.
//   - Proxies of the environment are not asked.
//   - A Budget bounds what all connections of a dialer read together, whatever protocol is spoken over them.
//
// It is called by internal/git. It must not import controllers or other adapters.
package outbound
