package fleet

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/agent"
	agentdoor "github.com/dogker/dogker/internal/agent/door"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Nodes of the swarm of tests: the server's own, and another.
const (
	own   = "node-own"
	other = "node-other"
)

var web = swarmobj.Owner{Tenant: "acme", Kind: "TenantContainer", Name: "web", UID: "uid"}

// hurry is the pace of tests.
var hurry = pace{
	connect: 2 * time.Second, answer: 500 * time.Millisecond, watch: 50 * time.Millisecond, renew: time.Hour,
	shortest: 20 * time.Millisecond, longest: 50 * time.Millisecond, unknown: 50 * time.Millisecond,
	pull: time.Millisecond, freeze: 10 * time.Millisecond,
}

// world is a fleet between a swarm of two nodes and their engines. The agent of the other node is what agents are made of:
// the real door, with real certificates.
type world struct {
	*testing.T
	*Fleet

	store    *telemetry.Store
	own, far *engine
	cable    *cable
	ring     *agent.Ring
	identity *pki.Identity
	swarm    *cluster
}

// newWorld makes one that does not run yet. wrap may put something before the door.
func newWorld(t *testing.T, wrap func(http.Handler) http.Handler) *world {
	w := &world{T: t, own: newEngine(t), far: newEngine(t), ring: agent.NewRing(), identity: pki.NewIdentity()}
	w.store = telemetry.NewStore(func(service, task string) (telemetry.Subject, bool) {
		return telemetry.Subject{Owner: web, Task: task, Service: service, Node: other, Pod: "web-1"}, true
	}, nil)
	authority, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.identity.Use(authority)
	node, err := pki.NewNode(authority.Bundle(), other, "agent-container")
	if err != nil {
		t.Fatal(err)
	}
	var served http.Handler = agentdoor.New(agentdoor.Options{
		Engine: w.far.client, Socket: w.far.socket, Node: node, Ring: w.ring, Log: slog.New(slog.DiscardHandler),
		About: agent.About{Version: "v1", Protocol: agent.Protocol, Node: other, Agent: "first"},
	})
	if wrap != nil {
		served = wrap(served)
	}
	server := httptest.NewUnstartedServer(served)
	server.TLS = node.ServerConfig()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.StartTLS()
	t.Cleanup(server.Close)
	w.cable = newCable(t, server.Listener.Addr().String())
	t.Cleanup(w.cable.pull) // Streams that last keep the server from closing.

	w.swarm = &cluster{nodes: []swarm.Node{nodeOf(own, "w1"), nodeOf(other, "w2")}}
	w.Fleet = New(Options{
		Swarm: w.swarm, Engine: w.own.client, Store: w.store, Connect: w.identity.Connect, Port: w.cable.port, Version: "v1",
		AgentOn: func(string) (string, bool) { return "agent-container", true }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	w.pace = hurry

	return w
}

func nodeOf(id, name string) swarm.Node {
	n := swarm.Node{ID: id}
	n.Description.Hostname, n.Status.State, n.Status.Addr = name, swarm.NodeStateReady, "127.0.0.1"

	return n
}

// run runs the fleet until the test ends.
func (w *world) run() *world {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Fleet.Run(ctx)
	}()
	w.Cleanup(func() { cancel(); <-done })

	return w
}

// ready runs the fleet and waits until both nodes can be used.
func (w *world) ready() *world {
	w.run()
	w.await("both nodes can be used", func() error {
		for _, id := range []string{own, other} {
			if s, known := w.State(id); !known || s.Problem != "" {
				return errors.New(id + ": " + s.Problem)
			}
		}

		return nil
	})

	return w
}

func (w *world) await(what string, ok func() error) {
	w.Helper()
	var err error
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	w.Fatalf("%s: not in time: %v", what, err)
}

// problem waits until the other node has a problem that holds a text; none for an empty one.
func (w *world) problem(text string) NodeState {
	w.Helper()
	var s NodeState
	w.await("problem "+strconv.Quote(text), func() error {
		if s, _ = w.State(other); (text == "") != (s.Problem == "") || !strings.Contains(s.Problem, text) {
			return errors.New("it is " + strconv.Quote(s.Problem))
		}

		return nil
	})

	return s
}

// cluster is what the swarm says, and hears.
type cluster struct {
	mu    sync.Mutex
	nodes []swarm.Node
	state error
	tell  func()
	heard []string
}

func (c *cluster) State() error {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.state
}

func (*cluster) OwnNode() string { return own }

func (c *cluster) Nodes() []swarm.Node {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.nodes
}

// Subject implements Swarm: services are named by whose they are.
func (c *cluster) Subject(service, task string) (telemetry.Subject, bool) {
	switch service {
	case "web":
		return telemetry.Subject{Owner: web, Task: task, Service: service}, true
	case "foreign":
		return telemetry.Subject{}, true
	default:
		return telemetry.Subject{}, false
	}
}

func (c *cluster) SubscribeNodes(tell func()) { c.tell = tell }

func (c *cluster) Heard(node string, m events.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, node+" "+string(m.Action))
}

// change changes nodes, and says so.
func (c *cluster) change(nodes ...swarm.Node) {
	c.mu.Lock()
	c.nodes = nodes
	c.mu.Unlock()
	c.tell()
}

// events that the fleet has passed on.
func (c *cluster) events() []string {
	c.mu.Lock()
	defer c.mu.Unlock()

	return append([]string(nil), c.heard...)
}

// cable is the way to the other node, which can be pulled out.
type cable struct {
	port   uint16
	to     string
	pulled atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

func newCable(t *testing.T, to string) *cable {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{to: to, port: uint16(l.Addr().(*net.TCPAddr).Port)}
	t.Cleanup(func() { l.Close() })
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
	there, err := net.Dial("tcp", c.to)
	if err != nil || c.pulled.Load() {
		here.Close()
		return
	}
	c.mu.Lock()
	c.conns = append(c.conns, here, there)
	c.mu.Unlock()
	go func() {
		_, _ = io.Copy(there, here)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
	here.Close()
}

// pull ends all connections, and lets none through until plug.
func (c *cable) pull() {
	c.pulled.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

func (c *cable) plug() { c.pulled.Store(false) }
