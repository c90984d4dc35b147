package lab

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// subnet of every lab. Labs do not see each other, so they can all have the same.
const subnet = "10.200.0."

// wire makes the lab's switch and a namespace for each node, plugged into it.
func (l *Lab) wire(ctx context.Context) error {
	sw := l.switchNS()

	steps := [][]string{
		{"netns", "add", sw},
		{"-n", sw, "link", "set", "lo", "up"},
		{"-n", sw, "link", "add", "br0", "type", "bridge"},
		{"-n", sw, "link", "set", "br0", "up"},
	}
	for _, n := range l.Nodes {
		steps = append(steps, [][]string{
			{"netns", "add", n.netns()},
			{"-n", sw, "link", "add", n.port(), "type", "veth", "peer", "name", "eth0", "netns", n.netns()},
			{"-n", sw, "link", "set", n.port(), "master", "br0", "up"},
			{"-n", n.netns(), "link", "set", "lo", "up"},
			{"-n", n.netns(), "address", "add", n.Address + "/24", "dev", "eth0"},
			{"-n", n.netns(), "link", "set", "eth0", "up"},
		}...)
	}

	for _, step := range steps {
		if err := run(ctx, "ip", step...); err != nil {
			return err
		}
	}

	return nil
}

func (l *Lab) switchNS() string { return l.ID + "-sw" }

// netns is the name of the node's network namespace.
func (n *Node) netns() string { return n.lab.ID + "-" + n.Name }

// NetworkNamespace is the file by which `nsenter --net=FILE` enters the node's network.
func (n *Node) NetworkNamespace() string { return netnsDir + "/" + n.netns() }

// port is the switch's end of the node's cable.
func (n *Node) port() string { return fmt.Sprintf("p%d", n.number) }

// Cut unplugs the node from the switch: it can reach no other node, and none can reach it. The engine's socket still
// answers.
func (n *Node) Cut() error {
	return run(context.Background(), "ip", "-n", n.lab.switchNS(), "link", "set", n.port(), "down")
}

// Heal plugs the node in again.
func (n *Node) Heal() error {
	return run(context.Background(), "ip", "-n", n.lab.switchNS(), "link", "set", n.port(), "up")
}

// Dial connects to an address inside the node's network namespace, where 127.0.0.1 is the node itself. The address must
// be numeric: a name would be looked up outside of the namespace.
func (n *Node) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	return dialIn(ctx, n.NetworkNamespace(), network, address)
}

// DialContainer connects from inside a container's network, as the container's own process would. It is given the id of
// that process, which task and container inspection tell. The address must be numeric; 127.0.0.11:53 is where the engine
// answers the container's questions for names.
func DialContainer(ctx context.Context, pid int, network, address string) (net.Conn, error) {
	return dialIn(ctx, containerNetwork(pid), network, address)
}

func dialIn(ctx context.Context, ns, network, address string) (conn net.Conn, err error) {
	err = inside(ns, func() error {
		var d net.Dialer
		conn, err = d.DialContext(ctx, network, address)
		return err
	})

	return conn, err
}

// Listen listens on a numeric address inside the node's network namespace, for example as a registry that the node's
// engine pulls from.
func (n *Node) Listen(ctx context.Context, network, address string) (l net.Listener, err error) {
	err = inside(n.NetworkNamespace(), func() error {
		var c net.ListenConfig
		l, err = c.Listen(ctx, network, address)
		return err
	})

	return l, err
}

// HTTPClient returns a client whose requests come from inside the node's network namespace. It keeps no connection open,
// so that a container that has stopped is not taken for one that answers.
func (n *Node) HTTPClient() *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DialContext: n.Dial, DisableKeepAlives: true},
	}
}

// inside runs f on a thread that is in the network namespace. Sockets that f makes stay in that namespace.
func inside(ns string, f func() error) error {
	done := make(chan error, 1)

	// A goroutine that ends while locked takes its thread with it, so no other code ever runs in the wrong namespace.
	go func() {
		runtime.LockOSThread()

		file, err := os.Open(ns)
		if err != nil {
			done <- err
			return
		}
		defer file.Close()

		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter network namespace %q: %w", ns, err)
			return
		}

		done <- f()
	}()

	return <-done
}

// run runs a command and puts what it complained about into the error.
func run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, binary(name), args...)

	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s %s: %w: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}

	return nil
}
