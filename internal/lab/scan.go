package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// scanBatch is how many connections are tried at a time: all ports of an address are a matter of seconds.
const scanBatch = 2048

// ScanContainer connects by TCP to all targets from inside a container's network, and returns those that answer within
// the wait. Like DialContainer, it is given the id of the container's process.
func ScanContainer(ctx context.Context, pid int, targets []netip.AddrPort, wait time.Duration) (open []netip.AddrPort, err error) {
	err = inside(containerNetwork(pid), func() error {
		for batch := range slices.Chunk(targets, scanBatch) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			found, err := connectAll(batch, wait)
			if err != nil {
				return err
			}
			open = append(open, found...)
		}

		return nil
	})

	return open, err
}

// ContainerAddresses are the addresses that a container has, in all its networks, with their prefixes. Those that only
// the container itself can reach are left out.
func ContainerAddresses(pid int) (addresses []netip.Prefix, err error) {
	err = inside(containerNetwork(pid), func() error {
		all, err := net.InterfaceAddrs()
		if err != nil {
			return err
		}
		for _, a := range all {
			p, err := netip.ParsePrefix(a.String())
			if err != nil {
				return err
			}
			if p.Addr().IsGlobalUnicast() && p.Addr().Is4() {
				addresses = append(addresses, p)
			}
		}

		return nil
	})

	return addresses, err
}

// ListenContainer listens inside a container's network, as another process of the container would.
func ListenContainer(ctx context.Context, pid int, network, address string) (l net.Listener, err error) {
	err = inside(containerNetwork(pid), func() error {
		var c net.ListenConfig
		l, err = c.Listen(ctx, network, address)
		return err
	})

	return l, err
}

func containerNetwork(pid int) string { return fmt.Sprintf("/proc/%d/ns/net", pid) }

// connectAll starts all connections at once on the present thread, whose network they belong to, and returns the targets
// that have accepted when the wait is over. A goroutine for each would need a thread for each.
func connectAll(targets []netip.AddrPort, wait time.Duration) ([]netip.AddrPort, error) {
	var open []netip.AddrPort
	var polled []unix.PollFd
	var waiting []netip.AddrPort

	defer func() {
		for _, p := range polled {
			_ = unix.Close(int(p.Fd))
		}
	}()

	for _, target := range targets {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("make socket: %w", err)
		}
		switch err := unix.Connect(fd, &unix.SockaddrInet4{Addr: target.Addr().As4(), Port: int(target.Port())}); {
		case errors.Is(err, unix.EINPROGRESS):
			polled = append(polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}) //nolint:gosec // a file descriptor
			waiting = append(waiting, target)
		case err == nil:
			open = append(open, target)
			fallthrough
		default: // Refused, or there is no way to it.
			_ = unix.Close(fd)
		}
	}

	accepted, err := awaitConnections(polled, waiting, wait)

	return append(open, accepted...), err
}

// awaitConnections waits until each connection has been accepted or refused, at most so long.
func awaitConnections(polled []unix.PollFd, targets []netip.AddrPort, wait time.Duration) ([]netip.AddrPort, error) {
	var open []netip.AddrPort

	left := len(polled)
	fds := slices.Clone(polled)
	for end := time.Now().Add(wait); left > 0; {
		rest := time.Until(end)
		if rest <= 0 {
			return open, nil
		}
		_, err := unix.Poll(fds, int(rest.Milliseconds())+1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("poll sockets: %w", err)
		}

		for i := range fds {
			if fds[i].Fd < 0 || fds[i].Revents == 0 {
				continue
			}
			if failed, err := unix.GetsockoptInt(int(fds[i].Fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && failed == 0 {
				open = append(open, targets[i])
			}
			fds[i].Fd = -1 // Poll leaves it out from now on.
			left--
		}
	}

	return open, nil
}
