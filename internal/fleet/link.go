package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// link is the connection to one node.
type link struct {
	node string
	own  bool
	log  *slog.Logger
	stop context.CancelFunc
	// wake has a token when something about the node has changed, so that it is worth trying again.
	wake chan struct{}

	mu      sync.Mutex
	name    string // Of the node, for people.
	address string // HOST:PORT of its agent.
	down    bool
	now     NodeState
	skew    skew
	// open is there while the node can be used.
	open *door
	// told is the problem that was logged last.
	told string

	// Of the session, and kept for the next one: the last report and the last event that have come.
	agent string
	round int64
	event int64 // Nanoseconds since 1970, by the clock of the node.
}

// door is the way to the engine of a node.
type door struct {
	node, name string
	docker     *client.Client
	// data is the same engine, with the patience and the answers that what is in volumes needs.
	data voldata.Engine
	// dial connects to a port of a container.
	dial func(ctx context.Context, container string, port uint16) (net.Conn, error)
}

func (f *Fleet) newLink(node string, own bool) *link {
	return &link{
		node: node, own: own, name: node, log: f.log.With(logkey.Node, node), wake: make(chan struct{}, 1),
		now: NodeState{Node: node, Own: own, Problem: "it has not been asked yet"},
	}
}

// learn takes in what Swarm says of the node, and tries again at once when that is news.
func (l *link) learn(n *swarm.Node, port uint16) {
	host := hostOf(n)
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	down := n.Status.State == swarm.NodeStateDown

	l.mu.Lock()
	defer l.mu.Unlock()

	if n.Description.Hostname != "" {
		l.name = n.Description.Hostname
	}
	if l.address == address && l.down == down {
		return
	}
	l.address, l.down = address, down

	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// hostOf is where others reach the node. A manager may say of itself that it is at 0.0.0.0.
func hostOf(n *swarm.Node) string {
	if ip := net.ParseIP(n.Status.Addr); ip != nil && !ip.IsUnspecified() {
		return n.Status.Addr
	}
	if n.ManagerStatus != nil {
		if host, _, err := net.SplitHostPort(n.ManagerStatus.Addr); err == nil {
			return host
		}
	}

	return n.Status.Addr
}

// where is the address of the agent, and whether Swarm has lost the node.
func (l *link) where() (address string, down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.address, l.down
}

func (l *link) state() NodeState {
	l.mu.Lock()
	defer l.mu.Unlock()

	return l.now
}

// door is the way in, or an error that says what is in the way.
func (l *link) door() (*door, error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	if l.open != nil {
		return l.open, nil
	}
	if l.own {
		return nil, fmt.Errorf("%w: node %q, which is this server's own: %s", swarmobj.ErrUnavailable, l.name, l.now.Problem)
	}

	return nil, fmt.Errorf("%w: node %q has no agent that can be asked: %s", swarmobj.ErrUnavailable, l.name, l.now.Problem)
}

// connected notes that the node can be used.
func (l *link) connected(ctx context.Context, d *door, version string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	d.node, d.name = l.node, l.name
	l.open = d
	l.now.Connected, l.now.Seen, l.now.Version, l.now.Problem = time.Now(), time.Now(), version, ""
	l.log.InfoContext(ctx, "Node can be used", "name", l.name, "version", version)
	l.told = ""
}

// seen notes that the node has answered.
func (l *link) seen() {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.now.Seen = time.Now()
}

// lost notes that the node cannot be used, and why. It says so once for each reason.
func (l *link) lost(ctx context.Context, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.open = nil
	l.now.Connected = time.Time{}
	l.now.Problem = wordsOf(err)
	if l.now.Problem != l.told && ctx.Err() == nil {
		l.told = l.now.Problem
		l.log.WarnContext(ctx, "Node cannot be used", "name", l.name, logkey.Err, l.now.Problem)
	}
}

// limited notes that the node can be used only in part, and why; empty when it can be used.
func (l *link) limited(ctx context.Context, problem string) {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.now.Problem = problem
	if problem != "" && problem != l.told {
		l.log.WarnContext(ctx, "Node can be used in part", "name", l.name, logkey.Err, problem)
	}
	l.told = problem
}

// close ends what the link had open.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()

	l.open = nil
	l.now.Problem = "this server does not use it any more"
}

// measure asks an agent who it is, and what its clock says. The answer was made between question and answer; half of the
// time that it took is how wrong the measurement may be.
func (f *Fleet) measure(ctx context.Context, c *agent.Client) (about agent.About, m measurement, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.pace.answer)
	defer cancel()

	asked := time.Now()
	about, err = c.About(ctx)
	took := time.Since(asked)
	m = measurement{offset: about.Now.Sub(asked.Add(took / 2)), doubt: took / 2}

	return about, m, err
}
