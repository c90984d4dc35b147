//go:build e2e

package voldata_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/telemetry"
)

// twoNodes is a swarm of nodes that are none of the server's own.
type twoNodes struct{ all []swarm.Node }

func (*twoNodes) State() error                 { return nil }
func (*twoNodes) OwnNode() string              { return "" }
func (n *twoNodes) Nodes() []swarm.Node        { return n.all }
func (*twoNodes) SubscribeNodes(func())        {}
func (*twoNodes) Heard(string, events.Message) {}

func (*twoNodes) Subject(service, task string) (telemetry.Subject, bool) {
	return telemetry.Subject{Owner: web, Task: task, Service: service}, true
}

// cable is a way that can be cut.
type cable struct {
	address, to string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: l.Addr().String(), to: to}
	t.Cleanup(func() { l.Close(); c.pull() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(conn)
		}
	}()

	return c
}

func (c *cable) carry(here net.Conn) {
	defer here.Close()
	there, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer there.Close()
	c.mu.Lock()
	cut := c.cut
	c.conns = append(c.conns, here, there)
	c.mu.Unlock()
	if cut {
		return
	}
	go func() { _, _ = io.Copy(there, here); there.Close() }()
	_, _ = io.Copy(here, there)
}

// pull ends all connections, and lets none through until plug.
func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}
