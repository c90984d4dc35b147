package swarm

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/swarm"
)

// Latency is how long things take on the model's nodes.
type Latency struct {
	// Orchestrate is from a change of a service to the tasks it causes.
	Orchestrate time.Duration
	// Schedule is from a task to its node, Dispatch from a decision of the manager to the node that carries it out.
	Schedule, Dispatch time.Duration
	// Prepare, Start and Stop are what the node needs for a container.
	Prepare, Start, Stop time.Duration
}

// DefaultLatency is what was measured on a small real engine.
var DefaultLatency = Latency{
	Orchestrate: 20 * time.Millisecond,
	Schedule:    50 * time.Millisecond,
	Dispatch:    120 * time.Millisecond,
	Prepare:     100 * time.Millisecond,
	Start:       300 * time.Millisecond,
	Stop:        500 * time.Millisecond,
}

// Options of a Cluster.
type Options struct {
	// Nodes are the names of the nodes; the first is a manager and the engine that clients talk to. One node when
	// empty.
	Nodes []string
	// Latency of the nodes; DefaultLatency when zero.
	Latency Latency
	// HistoryLimit is how many tasks of a slot are kept; 5 when zero, as in Swarm.
	HistoryLimit int
}

// Cluster is a swarm in memory.
type Cluster struct {
	mu sync.Mutex

	latency Latency
	history int

	index uint64 // raft
	ids   uint64
	down  error // what every call is answered while the engine cannot be asked

	services map[string]*service
	tasks    map[string]*task
	nodes    map[string]*node
	networks map[string]*networkObject
	secrets  map[string]*secret
	configs  map[string]*config
	images   map[string]Image
	removed  map[string]time.Time // networks that are gone but still half known
	leaked   int                  // networks that were removed too early
	stream   stream

	updates map[string]*update
	dirty   map[string]time.Time // services to orchestrate, and when
	changed bool
	wakeAt  time.Time
	timer   *time.Timer
}

// NewCluster returns a swarm whose nodes are ready.
func NewCluster(opts Options) *Cluster {
	if len(opts.Nodes) == 0 {
		opts.Nodes = []string{"node-1"}
	}

	if opts.Latency == (Latency{}) {
		opts.Latency = DefaultLatency
	}

	if opts.HistoryLimit == 0 {
		opts.HistoryLimit = 5
	}

	c := &Cluster{
		latency:  opts.Latency,
		history:  opts.HistoryLimit,
		services: map[string]*service{},
		tasks:    map[string]*task{},
		nodes:    map[string]*node{},
		networks: map[string]*networkObject{},
		secrets:  map[string]*secret{},
		configs:  map[string]*config{},
		images:   map[string]Image{},
		removed:  map[string]time.Time{},
		updates:  map[string]*update{},
		dirty:    map[string]time.Time{},
	}

	for i, name := range opts.Nodes {
		c.addNode(name, i == 0)
	}

	c.addNetwork("ingress", networkOptions{driver: "overlay", ingress: true})

	return c
}

// newID returns an ID in the engine's form. IDs are the same in every run.
func (c *Cluster) newID() string {
	c.ids++

	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

	// A multiplier that is odd and large spreads neighbours over the alphabet without ever repeating one.
	n := c.ids * 0x9E3779B97F4A7C15

	id := make([]byte, 25)
	for i := range id {
		id[i] = digits[n%36]
		n = n/36 ^ n<<55
	}

	return string(id)
}

// next numbers a new object.
func (c *Cluster) next() born { return born(c.ids + 1) }

// meta returns the raft metadata of an object that is written now, for the first time when created is zero.
func (c *Cluster) meta(m swarm.Meta) swarm.Meta {
	c.index++
	c.changed = true

	now := time.Now().UTC()
	if m.CreatedAt.IsZero() {
		m.CreatedAt = now
	}

	m.UpdatedAt = now
	m.Version.Index = c.index

	return m
}

// at asks for the cluster to look again at that time.
func (c *Cluster) at(t time.Time) {
	if c.wakeAt.IsZero() || t.Before(c.wakeAt) {
		c.wakeAt = t
	}
}

// due is true when t has come; until then the cluster will look again at t.
func (c *Cluster) due(t time.Time) bool {
	if t.After(time.Now()) {
		c.at(t)

		return false
	}

	return true
}

// maxRounds bounds settle: a model that does not come to rest is a bug of the model.
const maxRounds = 10_000

// settle lets every part of the swarm react to what has changed, until nothing does any more, and sets the clock for
// what takes time.
func (c *Cluster) settle() {
	for round := 0; ; round++ {
		if round > maxRounds {
			panic("fake swarm: does not come to rest")
		}

		c.changed, c.wakeAt = false, time.Time{}

		c.watchNodes()
		c.runContainers()
		c.restartTasks()
		c.orchestrate()
		c.runUpdates()
		c.schedule()
		c.reap()

		if !c.changed {
			break
		}
	}

	if c.timer != nil {
		c.timer.Stop()
	}

	if !c.wakeAt.IsZero() {
		c.timer = time.AfterFunc(time.Until(c.wakeAt), c.wake)
	}
}

func (c *Cluster) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.settle()
}

// reachable is the answer to every call while the engine cannot do its duty. Questions about the engine itself are
// answered by any engine that runs.
func (c *Cluster) reachable(op string) error {
	if c.down == nil {
		return nil
	}

	switch op {
	case "Ping", "Info", "ServerVersion", "ImageInspect", "ContainerInspect", "Events":
		if _, ok := c.down.(*apiError); ok {
			return nil
		}
	}

	return c.down
}

// SetDown makes every call fail with err from now on, until it is nil. Containers go on.
func (c *Cluster) SetDown(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.down = err
	if err != nil {
		c.stream.cut()
	}
}

// born orders objects by when they were made: time alone does not, because a model does many things in no time.
type born uint64

func (b born) seq() born { return b }

// sorted returns the values of a map of objects in the order in which they were made.
func sorted[T interface{ seq() born }](objects map[string]T) []T {
	return slices.SortedFunc(maps.Values(objects), func(a, b T) int { return cmp.Compare(a.seq(), b.seq()) })
}

// find returns the object with that ID, that name, or the only one whose ID begins so, in this order, as the engine does.
func find[T any](objects map[string]T, ref string, name func(T) string) (T, bool) {
	var none T

	if o, ok := objects[ref]; ok {
		return o, true
	}

	var byPrefix []T

	for id, o := range objects {
		if name(o) == ref {
			return o, true
		}

		if ref != "" && strings.HasPrefix(id, ref) {
			byPrefix = append(byPrefix, o)
		}
	}

	if len(byPrefix) == 1 {
		return byPrefix[0], true
	}

	return none, false
}
