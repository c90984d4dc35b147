package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/logkey"
	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/telemetry"
)

// Swarm is what the fleet asks the read cache of the swarm, and tells it. *swarm.Engine of internal/swarm is one. None of
// it blocks.
type Swarm interface {
	// State says why the swarm cannot be asked; nil when it can.
	State() error
	// OwnNode is the ID of the node of the connected engine; empty before that has answered.
	OwnNode() string
	// Nodes of the swarm, which nobody changes.
	Nodes() []swarm.Node
	// SubscribeNodes makes tell be called when a node has changed; it must neither block nor call back.
	SubscribeNodes(tell func())
	// Heard takes in an event of a container on a node.
	Heard(node string, m events.Message)
	// Subject says whose task it is. It is false while that is not known; for the task of a service that is not ours it is true
	// with the zero Owner.
	Subject(service, task string) (telemetry.Subject, bool)
}

// Options of a Fleet.
type Options struct {
	Swarm Swarm
	// Engine is the client of the connected engine, the own node's.
	Engine *client.Client
	// Store takes in what is sampled.
	Store *telemetry.Store
	// Connect reaches the agent of a node, enrolled and pinned to that node: that of a pki.Identity.
	Connect func(context.Context, pki.Candidate) (*agent.Client, agent.About, error)
	// AgentOn is the ID of the container that runs the agent of a node, as Swarm says; false when none is meant to run there.
	AgentOn func(node string) (container string, deployed bool)
	// Port is where agents listen; 0 means agent.Port.
	Port uint16
	// Version of this server: agents of another one are told of.
	Version string
	// NoAgents says why there are no agents, if there are none; empty means that there are, and then Connect and AgentOn
	// are needed.
	NoAgents string
	// Log is where the fleet says what changes; nil means nowhere.
	Log *slog.Logger
}

// Fleet keeps a connection to the agent of each node, and uses the engine of its own node itself. It is a Runtime. All its
// methods may be called at any time; nodes are known while Run runs.
type Fleet struct {
	o       Options
	log     *slog.Logger
	metrics metrics
	pace    pace
	changed chan struct{} // One token when nodes have changed.

	mu    sync.Mutex
	links map[string]*link // By node.
	// freezes are what this process has paused, by volume.
	freezes map[mountPoint]*freeze
}

var _ Runtime = (*Fleet)(nil)

// New returns a fleet that reaches nobody yet.
func New(o Options) *Fleet {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Port = cmp.Or(o.Port, agent.Port)
	f := &Fleet{
		o: o, log: o.Log.With(logkey.Component, "fleet"), metrics: newMetrics(), pace: usual,
		changed: make(chan struct{}, 1), links: map[string]*link{}, freezes: map[mountPoint]*freeze{},
	}
	o.Swarm.SubscribeNodes(func() {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	})

	return f
}

// lookEvery is how often nodes are looked at even when nobody says that they have changed.
const lookEvery = 5 * time.Second

// Run keeps the connections until the context ends.
func (f *Fleet) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()

	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()

	for {
		f.look(ctx, &wg)

		select {
		case <-ctx.Done():
			return nil
		case <-f.changed:
		case <-ticks.C:
		}
	}
}

// look begins a link for each node that has none, and ends those of nodes that are gone. While the swarm cannot be asked
// everything stays as it is: doubt is not absence.
func (f *Fleet) look(ctx context.Context, wg *sync.WaitGroup) {
	if f.o.Swarm.State() != nil {
		return
	}
	own, nodes := f.o.Swarm.OwnNode(), f.o.Swarm.Nodes()

	f.mu.Lock()
	defer f.mu.Unlock()

	there := make(map[string]bool, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		there[n.ID] = true
		l := f.links[n.ID]
		if l != nil && l.own != (n.ID == own) {
			l.stop()
			l = nil
		}
		if l == nil {
			l = f.newLink(n.ID, n.ID == own)
			f.links[n.ID] = l
			f.begin(ctx, wg, l)
		}
		l.learn(n, f.o.Port)
	}
	for id, l := range f.links {
		if !there[id] {
			l.stop()
			delete(f.links, id)
		}
	}
}

// begin runs a link until it is stopped.
func (f *Fleet) begin(ctx context.Context, wg *sync.WaitGroup, l *link) {
	ctx, l.stop = context.WithCancel(ctx)
	run := f.keep
	if l.own {
		run = f.sampleOwn
	}
	wg.Go(func() {
		run(ctx, l)
		l.close()
	})
}

// States of all nodes, by their IDs.
func (f *Fleet) States() []NodeState {
	f.mu.Lock()
	links := make([]*link, 0, len(f.links))
	for _, l := range f.links {
		links = append(links, l)
	}
	f.mu.Unlock()

	states := make([]NodeState, 0, len(links))
	for _, l := range links {
		states = append(states, f.stateOf(l))
	}
	slices.SortFunc(states, func(a, b NodeState) int { return cmp.Compare(a.Node, b.Node) })

	return states
}

// NodeStates is States by node.
func (f *Fleet) NodeStates() map[string]NodeState {
	out := map[string]NodeState{}
	for _, s := range f.States() {
		out[s.Node] = s
	}

	return out
}

// State of one node; false when there is no such node.
func (f *Fleet) State(node string) (NodeState, bool) {
	f.mu.Lock()
	l := f.links[node]
	f.mu.Unlock()
	if l == nil {
		return NodeState{}, false
	}

	return f.stateOf(l), true
}

// stateOf adds to what a link knows what only time tells.
func (f *Fleet) stateOf(l *link) NodeState {
	s := l.state()
	at := f.o.Store.MachineAt(s.Node)
	if s.Problem == "" && !s.Connected.IsZero() && time.Since(laterOf(at, s.Connected)) > telemetry.Stale {
		s.Problem = "it has not told for a while what its containers use: its engine may not answer"
	}

	return s
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}

	return b
}

// reach is the engine of a place, and the way to its containers' ports.
func (f *Fleet) reach(at Place) (*door, error) {
	f.mu.Lock()
	l := f.links[at.Node]
	f.mu.Unlock()

	if l == nil {
		if err := f.o.Swarm.State(); err != nil {
			return nil, fmt.Errorf("reach node %q: %w", at.Node, err)
		}

		return nil, fmt.Errorf("%w: node %q is not in the swarm", swarmobj.ErrUnavailable, at.Node)
	}
	d, err := l.door()
	if err != nil {
		return nil, err
	}

	return d, nil
}

// pace is how long things may take, and how often they are done. Tests are in more of a hurry.
type pace struct {
	// connect bounds reaching an agent, enrolment and all; answer bounds what it has to answer at once.
	connect, answer time.Duration
	// watch is how often it is asked who it is and what its clock says, and renew how often it is seen to that its
	// certificate does not expire.
	watch, renew time.Duration
	// Pauses between tries to reach an agent grow from shortest to longest. Servers that lose an agent at the same moment
	// do not all come back at the same moment: each pause is up to half as long again.
	shortest, longest time.Duration
	// unknown is how long an agent that does not know a question is not asked it again, and pull the pause between two
	// questions for reports.
	unknown, pull time.Duration
	// freeze is how often it is said again that containers are to stay paused. Agents wait for agent.FreezeLease.
	freeze time.Duration
}

var usual = pace{
	connect: 20 * time.Second, answer: 10 * time.Second, watch: telemetry.Interval, renew: time.Hour,
	shortest: time.Second, longest: 30 * time.Second, unknown: time.Minute, pull: time.Second,
	freeze: agent.FreezeLease / 6,
}

// errNodeDown ends a session with a node that Swarm has lost.
var errNodeDown = errors.New("the swarm has lost the node")
