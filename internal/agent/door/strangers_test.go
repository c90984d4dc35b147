package door

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// silent connects from an address of this machine, and says nothing.
func silent(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })

	return c
}

// closed waits until the other end has closed a connection.
func closed(t *testing.T, c net.Conn) error {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(4 * time.Second)) // Less than a handshake may take.
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		return fmt.Errorf("it is not closed: %w", err)
	}

	return nil
}

// TestServersGetIn: strangers from more addresses than there is room for do not keep servers out, be it the first time that
// they come, and the one that waits in vain for the longest makes room.
func TestServersGetIn(t *testing.T) {
	w := newWorld(t)
	first := silent(t, "127.0.1.1", w.address)
	for n := range 2 * strangersAll / strangersEach {
		for range strangersEach {
			silent(t, fmt.Sprintf("127.0.1.%d", n+1), w.address)
		}
	}
	if err := closed(t, first); err != nil {
		t.Errorf("the oldest of too many: %v", err)
	}

	for _, from := range []string{"127.0.0.1", "127.0.1.1", "127.0.2.1"} {
		d := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}, Config: w.config}
		c := http.Client{Transport: &http.Transport{DialTLSContext: d.DialContext, DisableKeepAlives: true}}
		resp, err := c.Get("https://" + w.address + "/dogker/v1/about")
		if err != nil {
			t.Fatalf("a server at %s does not get in: %v", from, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("a server at %s: got %s", from, resp.Status)
		}
	}
}

// TestStrangersAtAnAddressOfAServer: who is behind the same address as a server takes nothing from it either.
func TestStrangersAtAnAddressOfAServer(t *testing.T) {
	w := newWorld(t)
	var all []net.Conn
	for range serversEach + 1 {
		all = append(all, silent(t, "127.0.0.1", w.address))
	}
	if err := closed(t, all[0]); err != nil {
		t.Errorf("the oldest of too many: %v", err)
	}
	if code, said := w.ask(t, http.MethodGet, "/dogker/v1/about", ""); code != http.StatusOK {
		t.Errorf("the server: got %d %q", code, said)
	}
}

// TestHandshakesAreShort: who says nothing is gone before anybody waits for the room.
func TestHandshakesAreShort(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := silent(t, "127.0.3.1", w.address)
	_ = c.SetReadDeadline(time.Now().Add(2 * headerTimeout))
	if _, err := c.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("after %v: got %v, want the end", 2*headerTimeout, err)
	}
}

// visitor is a connection that can be told apart.
type visitor struct {
	net.Conn
	from string
}

func (v *visitor) RemoteAddr() net.Addr { return named(v.from) }

type named string

func (named) Network() string  { return "tcp" }
func (n named) String() string { return string(n) }

// TestRoomOfStrangers: whatever comes and goes, the counts are right, the limits hold, nobody makes room while there is some,
// and never one of a server for one of somebody else.
func TestRoomOfStrangers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStrangers()
		for i := range 4 {
			s.meet(fmt.Sprintf("10.0.0.%d:1", i))
		}
		in := map[net.Conn]string{}
		for range rapid.IntRange(1, 600).Draw(t, "steps") {
			if len(in) > 0 && rapid.IntRange(0, 9).Draw(t, "leaves") == 0 {
				for c := range in {
					s.note(c, http.StateActive)
					delete(in, c)
					break
				}
				continue
			}
			v := &visitor{from: fmt.Sprintf("10.0.0.%d:1", rapid.IntRange(0, 40).Draw(t, "from"))}
			mine := 0
			for _, from := range in {
				if from == v.from {
					mine++
				}
			}
			out := s.come(v)
			in[v] = v.from
			if out == nil {
				continue
			}
			if mine < strangersEach && len(in) <= strangersAll {
				t.Fatalf("%q made room for %q while there was some", in[out], v.from)
			}
			if s.servers[addressOf(in[out])] != (time.Time{}) && in[out] != v.from {
				t.Fatalf("a server made room for %q", v.from)
			}
			delete(in, out)
		}

		others, each := 0, map[string]int{}
		for _, from := range in {
			if each[from]++; s.servers[addressOf(from)].IsZero() {
				others++
			}
		}
		if len(s.of) != len(in) || s.others != others || others > strangersAll {
			t.Fatalf("it holds %d, of which %d are no server's; want %d and %d", len(s.of), s.others, len(in), others)
		}
		for from, n := range each {
			if n != len(s.from[addressOf(from)]) || n > serversEach {
				t.Fatalf("from %q: it holds %d, want %d", from, len(s.from[addressOf(from)]), n)
			}
		}
	})
}

// TestWhoHasNotSpokenGoesFirst: a server speaks at once.
func TestWhoHasNotSpokenGoesFirst(t *testing.T) {
	s := newStrangers()
	conn := func(spoken bool) net.Conn {
		h := &heard{Conn: &visitor{from: "10.0.0.1:1"}}
		h.spoken.Store(spoken)

		return h
	}
	older := conn(true)
	if out := s.come(older); out != nil {
		t.Fatal("one made room for itself")
	}
	quiet := conn(false)
	s.come(quiet)
	for range strangersEach - 2 {
		s.come(conn(true))
	}
	if out := s.come(conn(true)); out != quiet {
		t.Error("who has said nothing is there still")
	}
	if out := s.come(conn(true)); out != older {
		t.Error("where all have spoken, the oldest is there still")
	}
}

func TestServersAreRememberedInBounds(t *testing.T) {
	s := newStrangers()
	for i := range maxServers + 10 {
		s.meet(fmt.Sprintf("10.0.%d.1:1", i))
	}
	if len(s.servers) != maxServers {
		t.Errorf("got %d addresses, want %d", len(s.servers), maxServers)
	}
	if _, known := s.servers[fmt.Sprintf("10.0.%d.1", maxServers+9)]; !known {
		t.Error("the last is not among them")
	}
}

func TestAddressOf(t *testing.T) {
	for remote, want := range map[string]string{
		"10.0.0.1:44":          "10.0.0.1",
		"[::ffff:10.0.0.1]:44": "10.0.0.1",
		"[fd00::1:2:3:4]:44":   "fd00::/64",
		"what":                 "what",
	} {
		if got := addressOf(remote); got != want {
			t.Errorf("%s: got %q, want %q", remote, got, want)
		}
	}
}
