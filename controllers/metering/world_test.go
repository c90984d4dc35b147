package metering

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

// began is when the worlds of the tests begin: five minutes before a whole hour, so that they live through one.
var began = time.Unix(1_800_000_000-1_800_000_000%3600+3300, 0).UTC()

// world is a swarm whose whole history is written down beforehand, so that what it shows at any moment is a function of
// the moment, and what is true is known. Times are since its beginning.
type world struct {
	nodes     []string
	outages   []outage
	elections []span
	tasks     []life

	now time.Duration
	// settings are of our clock, in order. Managers share it, or have clocks of their own that are right.
	settings []setting
	shared   bool
	// blind is when the engine does not answer.
	blind []span
}

// setting of a clock: how far it is ahead of the truth from a moment on.
type setting struct{ at, offset time.Duration }

type span struct{ from, to time.Duration }

func (s span) holds(t time.Duration) bool { return s.from <= t && t < s.to }

// outage of a node. A dead one loses its tasks; one that is cut off keeps them. Managers notice after a while, if it lasts.
type outage struct {
	span

	node     string
	dead     bool
	detected time.Duration
}

// life of a task.
type life struct {
	id, node, tenant string
	// running is the truth.
	running span
	// lag is how late its states are told, forgotten when the swarm does not know it any more.
	lag, forgotten time.Duration
}

// killer is the outage in which a task died.
func (w *world) killer(l life) (outage, bool) {
	for _, o := range w.outages {
		if o.dead && o.node == l.node && o.from == l.running.to {
			return o, true
		}
	}

	return outage{}, false
}

// Read implements Clock.
func (w *world) Read() Reading { return Reading{Wall: w.wallAt(w.now), Mono: w.now} }

func (w *world) wall() int64 { return w.Read().Wall.Unix() }

// set sets our clock, now.
func (w *world) set(offset time.Duration) { w.settings = append(w.settings, setting{w.now, offset}) }

// wallAt is what our clock shows at a moment.
func (w *world) wallAt(t time.Duration) time.Time {
	var offset time.Duration
	for _, s := range w.settings {
		if s.at <= t {
			offset = s.offset
		}
	}

	return began.Add(t + offset)
}

// managersAt is what the managers' clocks show at a moment. Those of nodes are always right.
func (w *world) managersAt(t time.Duration) time.Time {
	if w.shared {
		return w.wallAt(t)
	}

	return began.Add(t)
}

// half of the time that a sample takes.
const half = 150 * time.Millisecond

// Sample implements Swarm. It takes some time; what it shows is of the middle of it.
func (w *world) Sample(context.Context) (usage.Sample, error) {
	w.now += half
	defer func() { w.now += half }()
	for _, b := range w.blind {
		if b.holds(w.now) {
			return usage.Sample{}, errBoom
		}
	}

	s := usage.Sample{Nodes: map[string]usage.Node{}, Clocks: []time.Time{w.managersAt(w.now)}}
	for _, n := range w.nodes {
		s.Nodes[n] = w.node(n)
	}
	for _, l := range w.tasks {
		if t, ok := w.task(l); ok {
			s.Tasks = append(s.Tasks, t)
		}
	}

	return s, nil
}

func (w *world) node(id string) usage.Node {
	n := usage.Node{State: swarm.NodeStateReady, Updated: began.Add(-time.Hour)}
	latest := time.Duration(0)
	changed := func(at time.Duration) {
		if at <= w.now && at >= latest {
			latest, n.Updated = at, w.managersAt(at)
		}
	}
	for _, o := range w.outages {
		if o.node != id {
			continue
		}
		changed(o.to)
		if o.detected < o.to {
			changed(o.detected)
		}
		if o.holds(w.now) && o.detected <= w.now {
			n.State = swarm.NodeStateDown
		}
	}
	for _, e := range w.elections {
		changed(e.from)
		changed(e.to)
		if e.holds(w.now) {
			n.State = swarm.NodeStateUnknown
		}
	}

	return n
}

// task is how the managers see a task now.
func (w *world) task(l life) (usage.Task, bool) {
	made := l.running.from - 5*time.Second
	if w.now < made || w.now >= l.forgotten {
		return usage.Task{}, false
	}

	told, ended := w.now-l.lag, l.running.to
	for _, o := range w.outages {
		if o.node == l.node && o.holds(w.now) {
			told = min(told, o.from-1) // Nothing has been heard of since.
		}
	}
	if k, ok := w.killer(l); ok {
		ended = k.to // It says so when it comes back, of that moment.
	}

	t := usage.Task{
		ID: l.id, NodeID: l.node, Owner: swarmobj.Owner{Tenant: l.tenant, Kind: "TenantContainer", Name: l.id, UID: "uid-" + l.id},
		Created: w.managersAt(made), NanoCPUs: 100_000_000, MemoryBytes: 1 << 20,
	}
	show := func(state swarm.TaskState, since time.Duration) {
		t.State, t.Since, t.Updated = state, began.Add(since), w.managersAt(since+l.lag)
	}
	switch {
	case told >= ended:
		show(swarm.TaskStateFailed, ended)
	case told >= l.running.from:
		show(swarm.TaskStateRunning, l.running.from)
	default:
		show(swarm.TaskStateStarting, made)
	}

	return t, true
}

// length of the part of a world's history in which things happen.
const length = 10 * time.Minute

// moment draws a time, to the millisecond.
func moment(t *rapid.T, from, to time.Duration, label string) time.Duration {
	return time.Duration(rapid.Int64Range(int64(from/time.Millisecond), int64(max(from, to)/time.Millisecond)).Draw(t, label)) * time.Millisecond
}

// drawWorld makes up a history: tasks that start, stop, crash and vanish, nodes that die, are cut off and return, and
// managers that elect a leader.
func drawWorld(t *rapid.T) *world {
	w := &world{nodes: []string{"n1", "n2", "n3"}, shared: rapid.Bool().Draw(t, "shared")}
	free := map[string]time.Duration{}
	for range rapid.IntRange(0, 4).Draw(t, "outages") {
		n := rapid.SampledFrom(w.nodes).Draw(t, "node")
		from := moment(t, free[n], free[n]+6*time.Minute, "away")
		o := outage{node: n, dead: rapid.Bool().Draw(t, "dead"), span: span{from, moment(t, from+time.Second, from+5*time.Minute, "back")}}
		o.detected = moment(t, from+8*time.Second, from+16*time.Second, "detected")
		w.outages = append(w.outages, o)
		free[n] = o.to + time.Minute
	}
	for range rapid.IntRange(0, 2).Draw(t, "elections") {
		from := moment(t, 0, length, "election")
		w.elections = append(w.elections, span{from, moment(t, from+time.Second, from+20*time.Second, "elected")})
	}
	for slot := range rapid.IntRange(1, 4).Draw(t, "slots") {
		w.drawSlot(t, slot)
	}

	return w
}

// drawSlot makes up the tasks of one slot, one after the other or overlapping.
func (w *world) drawSlot(t *rapid.T, slot int) {
	tenant := rapid.SampledFrom([]string{"acme", "blue"}).Draw(t, "tenant")
	for i, from := 0, time.Duration(0); i < 8 && from < length; i++ {
		from = moment(t, from, min(from+3*time.Minute, length), "start")
		l := life{id: fmt.Sprintf("t%d-%d", slot, i), node: rapid.SampledFrom(w.nodes).Draw(t, "node"), tenant: tenant}
		l.running = span{from, moment(t, from+100*time.Millisecond, min(from+7*time.Minute, length+2*time.Minute), "end")}
		l.lag = moment(t, 0, 2*time.Second, "lag")
		l.forgotten = l.running.to + l.lag
		if w.settleFate(&l) && rapid.Bool().Draw(t, "remembered") {
			l.forgotten += moment(t, 0, 10*time.Minute, "memory")
		}
		if l.running.to > l.running.from {
			w.tasks = append(w.tasks, l)
		}
		from = l.running.to - moment(t, 0, min(10*time.Second, l.running.to-from), "overlap")
	}
}

// settleFate lets a task die with its node. It is false for one that was never started.
func (w *world) settleFate(l *life) bool {
	for _, o := range w.outages {
		switch {
		case o.node != l.node || !o.dead:
		case o.holds(l.running.from):
			l.running.to = l.running.from
			return false
		case o.from > l.running.from && o.from < l.running.to:
			l.running.to = o.from
			l.forgotten = o.to + l.lag
		}
	}
	for _, o := range w.outages {
		if o.node == l.node && !o.dead && o.holds(l.forgotten-l.lag) {
			l.forgotten = o.to + l.lag // What ends while nobody hears of it is told afterwards.
		}
	}

	return true
}

// truth is how long each task really ran, in seconds.
func (w *world) truth() map[string]float64 {
	out := map[string]float64{}
	for _, l := range w.tasks {
		out[l.id] += (l.running.to - l.running.from).Seconds()
	}

	return out
}
