package outbound_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/outbound"
)

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "172.15.255.255": true, "172.32.0.0": true, "192.0.1.1": true, "100.63.255.255": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "::ffff:8.8.8.8": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.255.254": false, "10.0.0.1": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.168.0.1": false, "169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false,
		"192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false, "198.18.0.1": false, "198.19.255.255": false,
		"198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false,
		"255.255.255.255": false,

		"::": false, "::1": false, "::7f00:1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false,
		"100::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false, "fc00::1": false, "fd00:ec2::254": false,
		"fe80::1": false, "fe80::1%lo": false, "2606:4700::1%eth0": false, "fec0::1": false, "ff02::1": false, "3fff::1": false,
	} {
		if got := outbound.Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("Public(%s) is %t", addr, got)
		}
	}

	if outbound.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// listen has a server on loopback that sends without end.
func listen(t *testing.T) string {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	t.Cleanup(func() { _ = l.Close() })

	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}

			go func() {
				defer func() { _ = conn.Close() }()

				for data := make([]byte, 1024); ; {
					if _, err := conn.Write(data); err != nil {
						return
					}
				}
			}()
		}
	}()

	return l.Addr().String()
}

func TestDialerRefusesWhatIsNotPublic(t *testing.T) {
	_, port, err := net.SplitHostPort(listen(t))
	if err != nil {
		t.Fatal(err)
	}

	var d outbound.Dialer

	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1", "0.0.0.0", "::1"} {
		conn, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
		}

		if !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("dialing %s: %v; want it refused", host, err)
		}
	}
}

func TestDialerEndsReads(t *testing.T) {
	address := listen(t)

	d := outbound.Dialer{AllowPrivate: true, Budget: outbound.NewBudget(10_000)}

	for range 2 {
		conn, err := d.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}

		defer func() { _ = conn.Close() }()

		if n, err := io.Copy(io.Discard, conn); !errors.Is(err, outbound.ErrBudget) || n > 10_000 {
			t.Errorf("read %d bytes, and then: %v; want the budget to end it", n, err)
		}
	}

	if !d.Budget.Exceeded() {
		t.Error("the budget does not say that it is spent")
	}
}

func TestDialerEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}

	defer func() { _ = l.Close() }()

	for patience := 50 * time.Millisecond; ; patience *= 2 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()

		conn, err := (&outbound.Dialer{AllowPrivate: true}).DialContext(ctx, "tcp", l.Addr().String())
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			continue // A busy machine may not even connect in that time.
		}
		if err != nil {
			t.Fatal(err)
		}

		defer func() { _ = conn.Close() }()

		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading from somebody who says nothing: %v", err)
		}

		return
	}
}
