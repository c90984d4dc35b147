package door

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// strangersEach and strangersAll bound connections from which no request has come yet, by address and together. Servers
	// are not among strangersAll, and each address of one has room for serversEach.
	strangersEach = 16
	strangersAll  = 256
	serversEach   = 64
	// maxServers bounds the addresses that servers are remembered by.
	maxServers = 64
)

// strangers are connections from which no request has come yet: who sends one has shown a certificate, or is on this node.
//
// When there are too many, the one that has waited in vain the longest makes room for the one that comes, first of those that
// have not said a word. So however many there are, and from however many addresses, who can prove within an instant to be a
// server gets in: nobody can take all the room by being there before.
type strangers struct {
	mu   sync.Mutex
	seq  uint64
	of   map[net.Conn]*stranger
	from map[string][]*stranger // In the order in which they came.
	// others counts those that come from no address of a server.
	others int
	// servers are the addresses that servers were seen at, and when last.
	servers map[string]time.Time
}

type stranger struct {
	conn    net.Conn
	address string
	seq     uint64
	// server tells that it comes from an address of a server.
	server bool
}

func newStrangers() *strangers {
	return &strangers{of: map[net.Conn]*stranger{}, from: map[string][]*stranger{}, servers: map[string]time.Time{}}
}

// note implements the hook of http.Server.
func (s *strangers) note(c net.Conn, state http.ConnState) {
	if state != http.StateNew {
		s.leave(c)
		return
	}
	if out := s.come(c); out != nil {
		_ = underlying(out).Close()
	}
}

// come takes in a connection. It returns the one that has to make room for it, if any.
func (s *strangers) come(c net.Conn) (out net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()

	x := &stranger{conn: c, address: addressOf(c.RemoteAddr().String()), seq: s.seq}
	_, x.server = s.servers[x.address]
	s.seq++

	most := strangersEach
	if x.server {
		most = serversEach
	}
	switch {
	case len(s.from[x.address]) >= most:
		out = s.drop(s.from[x.address])
	case !x.server && s.others >= strangersAll:
		out = s.drop(s.crowd())
	}

	s.of[c] = x
	s.from[x.address] = append(s.from[x.address], x)
	if !x.server {
		s.others++
	}

	return out
}

// leave is called for each connection that has sent a request, or has ended.
func (s *strangers) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()

	if x := s.of[c]; x != nil {
		s.remove(x)
	}
}

// drop removes one of several.
func (s *strangers) drop(all []*stranger) net.Conn {
	silent := slices.IndexFunc(all, func(x *stranger) bool { return !hasSpoken(x.conn) })
	x := all[max(silent, 0)]
	s.remove(x)

	return x.conn
}

func (s *strangers) remove(x *stranger) {
	delete(s.of, x.conn)
	if !x.server {
		s.others--
	}
	left := slices.DeleteFunc(slices.Clone(s.from[x.address]), func(y *stranger) bool { return x == y })
	if len(left) == 0 {
		delete(s.from, x.address)
		return
	}
	s.from[x.address] = left
}

// crowd is those of one address who are the most among those that come from no server's; of several crowds the one that began
// first.
func (s *strangers) crowd() []*stranger {
	of := map[string][]*stranger{}
	for address, all := range s.from {
		for _, x := range all {
			if !x.server {
				of[address] = append(of[address], x)
			}
		}
	}
	var worst []*stranger
	for _, all := range of {
		if len(all) > len(worst) || len(all) == len(worst) && all[0].seq < worst[0].seq {
			worst = all
		}
	}

	return worst
}

// meet remembers that a server is at an address. Where there are too many, the one that was not seen for the longest goes.
func (s *strangers) meet(remote string) {
	s.mu.Lock()
	defer s.mu.Unlock()

	address := addressOf(remote)
	s.servers[address] = time.Now()
	if len(s.servers) <= maxServers {
		return
	}
	oldest := address
	for a, at := range s.servers {
		if at.Before(s.servers[oldest]) {
			oldest = a
		}
	}
	delete(s.servers, oldest)
}

// addressOf is where a connection comes from: of IPv6 the network, of which whoever is in it has all addresses.
func addressOf(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := at.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	const network = 64
	net, _ := ip.Prefix(network) // An address of IPv6 has so many bits.

	return net.String()
}

// hearing accepts connections that know whether anything was read from them.
type hearing struct{ net.Listener }

// Accept implements net.Listener.
func (h hearing) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err != nil {
		return nil, err
	}

	return &heard{Conn: c}, nil
}

type heard struct {
	net.Conn
	spoken atomic.Bool
}

// Read implements io.Reader.
func (h *heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 {
		h.spoken.Store(true)
	}

	return n, err
}

func hasSpoken(c net.Conn) bool {
	h, ok := underlying(c).(*heard)

	return ok && h.spoken.Load()
}

// underlying is the connection below TLS, which can be closed without a word.
func underlying(c net.Conn) net.Conn {
	if t, ok := c.(*tls.Conn); ok {
		return t.NetConn()
	}

	return c
}
